*** Settings ***
Documentation       Workers are killed while they analyse, and Redis: each report has its analysis, and none was paid for twice.
...                 `python bench/kill.py` does the same with 200 reports.
Library             Kills.py
Suite Setup         Kill
Test Tags           backend


*** Test Cases ***
Every Report Has Its Analysis
    Should Be Equal As Integers    ${OUTCOME.stored}    30    ${OUTCOME.told}

Every Report Was Concluded Once
    [Documentation]    An answer that came to a worker in the moment of its death is none.
    Should Be Empty    ${OUTCOME.never_concluded}    ${OUTCOME.told}
    Should Be Empty    ${OUTCOME.concluded_twice}    ${OUTCOME.told}

Workers Were Killed At Work
    [Documentation]    Otherwise the checks above would not say much.
    Should Be True    ${{ sum($OUTCOME.asked.values()) }} > 30    ${OUTCOME.told}


*** Keywords ***
Kill
    ${outcome} =    Kill Workers And Redis    reports=${30}    workers=${2}    kills=${4}    restarts=${1}
    VAR    ${OUTCOME}    ${outcome}    scope=SUITE
    Log    ${OUTCOME.told}    console=True
