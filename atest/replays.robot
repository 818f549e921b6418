*** Settings ***
Documentation       `ddn replay` beside another one, and after one that was killed in the middle: nothing is lost, and what is sent
...                 twice is the same task.
Library             OperatingSystem
Library             Replays.py
Resource            atest.resource
Suite Setup         Start Redis Without A Worker
Suite Teardown      Run Keywords    End Programs    AND    End Servers


*** Test Cases ***
Replays At Once Send Each Report Once
    [Documentation]    The first one stops in the middle; two others run beside it, and then it goes on.
    ${run} =    Run While Nobody Listens    at-once
    ${stopped} =    Signal Replay    SIGSTOP    ${run.folder}    taken=${3}
    ${one} =    Start Replay    one    ${run.folder}
    ${other} =    Start Replay    other    ${run.folder}
    FOR    ${each}    IN    ${one}    ${other}
        Wait Until Ended    ${each}
        Return Code Should Be    ${each}    1
        Should Match Regexp    ${each.stdout}    [1-7] left    What another one has in hand is left to it.
    END
    Send Signal    ${stopped}    SIGCONT
    Wait Until Ended    ${stopped}
    Return Code Should Be    ${stopped}    0
    Should Be All Sent    ${run}    messages=7

Killed Replay Leaves The Rest To The Next
    [Documentation]    What Redis had taken in that moment is sent again.
    ${run} =    Run While Nobody Listens    killed
    ${killed} =    Signal Replay    SIGKILL    ${run.folder}    taken=${3}
    Wait Until Ended    ${killed}
    ${left} =    Count Files In Directory    ${run.folder}/ddn-spool    *.json
    Should Be Equal As Integers    ${left}    5
    ${next} =    Start Replay    next    ${run.folder}
    Wait Until Ended    ${next}
    Return Code Should Be    ${next}    0
    Should Contain    ${next.stdout}    5 sent
    Should Be All Sent    ${run}    messages=8
    Start Worker
    ${ddn} =    Run Ddn    attach    ${run.output}    --redis    ${REDIS}    --log    NONE    --report    NONE
    Return Code Should Be    ${ddn}    0
    Every Report Should Be Somewhere    ${run}    answered

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Start Redis Without A Worker
    ${url} =    Unused Redis Url
    VAR    ${NOWHERE}    ${url}    scope=SUITE
    ${url} =    Unused Redis Url
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    ${suite} =    Write Many Tests    7
    VAR    ${SEVEN}    ${suite}    scope=SUITE

Run While Nobody Listens
    [Arguments]    ${name}
    Empty Redis
    ${run} =    Run Robot    ${name}    --report    NONE    --log    NONE    ${SEVEN}    DDN_REDIS_URL=${NOWHERE}
    Every Report Should Be Somewhere    ${run}    spooled
    RETURN    ${run}

Should Be All Sent
    [Arguments]    ${run}    ${messages}
    Directory Should Not Exist    ${run.folder}/ddn-spool
    ${sent}    ${reports} =    Numbers Of Reports In Redis
    Should Be Equal As Integers    ${reports}    7
    Should Be Equal As Integers    ${sent}    ${messages}
