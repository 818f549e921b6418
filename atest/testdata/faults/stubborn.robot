*** Settings ***
Documentation       The first Ctrl-C ends the test, the second one the teardown and all.
Library             OperatingSystem
Suite Teardown      End Slowly


*** Test Cases ***
Fails Before
    Should Be Equal    one    two

Is Stopped
    Create File    ${OUTPUT DIR}${/}started.txt
    Sleep    60 s


*** Keywords ***
End Slowly
    Create File    ${OUTPUT DIR}${/}ending.txt
    Sleep    60 s
