*** Settings ***
Library             Services.py
Suite Setup         Services.Ask    six


*** Test Cases ***
Needs The Service In Six
    No Operation
