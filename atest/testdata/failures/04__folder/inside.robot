*** Settings ***
Suite Setup         No Operation


*** Test Cases ***
Deep Without Its Folder's Setup
    Log    Never run
