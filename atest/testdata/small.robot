*** Settings ***
Documentation       As little as a run with failures can have.


*** Test Cases ***
Passes
    No Operation

Books A Room
    Reserve    ${7}

Books Another Room
    Reserve    ${8}

Reads The Plan
    Log    Reading ${PLAN}

Is Left Out
    [Tags]    ddn:off
    Fail    This one is nobody's business


*** Keywords ***
Reserve
    [Arguments]    ${room}
    FOR    ${try}    IN RANGE    1    4
        Log    Try ${try}
        IF    ${try} == 3    Convert To Integer    full
    END
