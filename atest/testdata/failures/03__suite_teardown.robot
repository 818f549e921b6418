*** Settings ***
Suite Teardown      Should Be Empty    not cleaned up


*** Test Cases ***
Passes Before Its Suite's Teardown
    No Operation

Fails Before Its Suite's Teardown
    Should Be True    1 > 2
