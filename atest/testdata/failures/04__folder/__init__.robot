*** Settings ***
Suite Setup         Fail    The folder's setup failed


*** Keywords ***
Unused
    No Operation
