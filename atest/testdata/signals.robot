*** Settings ***
Library             OperatingSystem


*** Test Cases ***
Fails Before
    Should Be Equal    one    two

Is Stopped
    Create File    ${OUTPUT DIR}${/}started.txt
    Sleep    60 s

Comes After
    No Operation
