*** Settings ***
Documentation       Its output folder becomes one that nobody may write to.
Library             Odd.py


*** Test Cases ***
Protects Its Output Folder
    Protect    ${OUTPUT DIR}

Fails
    Should Be Equal    one    two
