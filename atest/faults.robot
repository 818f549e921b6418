*** Settings ***
Documentation       Whatever Redis, workers, answers and the disk do, the run is the one that it would have been without the listener,
...                 and every report is attached, waits under its task id, or is in the spool. More rows are in harmless, signals,
...                 spool, oddities and kill; docs/trust.md has them all.
Library             OperatingSystem
Library             Faults.py
Resource            atest.resource
Suite Setup         Run Without Listener
Suite Teardown      Run Keywords    End Faults    AND    End Programs    AND    End Servers
Test Template       Nothing Else Should Change


*** Variables ***
${LISTENER}         robot_ddn_listener;wait=1
@{QUICK}            --report    NONE    --log    NONE


*** Test Cases ***
Redis Has No Address
    no-address    redis://no-such-host.invalid:6379/0    spooled

Redis Is A Black Hole
    [Setup]    Dig A Black Hole
    black-hole    ${BLACK HOLE}    spooled

Redis Wants Another Password
    [Setup]    Configure Redis    requirepass=right
    wrong-password    redis://:wrong@127.0.0.1:${PORT}/0    spooled
    [Teardown]    Let Anybody In    right

Redis Is Out Of Memory
    [Setup]    Configure Redis    maxmemory_policy=noeviction    maxmemory=1
    out-of-memory    ${REDIS}    spooled
    [Teardown]    Configure Redis    maxmemory=0

Redis Is Read Only
    [Setup]    Make Redis Read Only
    read-only    ${REDIS}    spooled
    [Teardown]    Make Redis Writable

Redis Does Not Speak TLS
    tls    rediss://127.0.0.1:${PORT}/0    spooled

Redis Dies During The Run
    [Template]    In The Middle Of A Run
    dies    Kill Redis    pending    spooled
    [Teardown]    Start Redis

Redis Is Flushed During The Run
    [Template]    In The Middle Of A Run
    flushed    Flush Redis    pending

Redis Hangs During The Run
    [Template]    In The Middle Of A Run
    hangs    Freeze Redis    pending    spooled
    [Teardown]    Thaw Redis

Redis Is Flushed During The Wait
    [Documentation]    The heartbeat is gone with all else, so the wait ends.
    [Template]    NONE
    Empty Redis
    Pretend That A Worker Lives
    ${run} =    Start Robot
    ...    flushed-wait
    ...    @{QUICK}
    ...    small.robot
    ...    listener=robot_ddn_listener;wait=60
    ...    DDN_REDIS_URL=${REDIS}
    Wait Until Verdicts Are Asked For
    Flush Redis
    ${run} =    Wait Until Ended    ${run}
    Should Be The Same Run    ${run}    ${PLAIN}
    Every Report Should Be Somewhere    ${run}    pending

No Worker Is There
    [Setup]    Empty Redis
    no-worker    ${REDIS}    pending

Answers Never Come
    [Setup]    Run Keywords    Empty Redis    AND    Pretend That A Worker Lives
    never    ${REDIS}    pending

Answers Are Malformed
    [Template]    Answers That Cannot Be Used
    malformed

Answers Are No Analyses
    [Template]    Answers That Cannot Be Used
    no analysis

Answers Are Of Another Run
    [Template]    Answers That Cannot Be Used
    of another run

Answers Are Huge
    [Template]    Answers That Cannot Be Used
    huge

Worker Is Of An Older Version
    [Template]    Answers Of Another Version
    old    TEST_ERROR

Worker Is Of A Newer Version
    [Documentation]    It says what this listener does not know, among what it knows.
    [Template]    Answers Of Another Version
    new    UNKNOWN

Worker Is Killed During The Run
    [Documentation]    Another one, started later, answers all that it had taken.
    [Template]    NONE
    Empty Redis
    Start Worker
    ${run} =    In The Middle Of A Run    worker-dies    Kill Worker    answered    pending
    Start Worker
    ${cards} =    Cards In    ${run.output}
    FOR    ${name}    ${card}    IN    &{cards}
        Verdict Is There    ${card.id}
    END
    ${ddn} =    Run Ddn    attach    ${run.output}    --redis    ${REDIS}    --log    NONE    --report    NONE
    Return Code Should Be    ${ddn}    0
    Every Report Should Be Somewhere    ${run}    answered
    Should Be The Same Run    ${run}    ${WAITS}
    [Teardown]    End Worker

Worker Is Frozen And Then Killed
    [Documentation]    It had asked Redis for its next message, which was on its way when the worker died.
    [Template]    NONE
    Empty Redis
    Start Worker
    Freeze Worker
    ${run} =    Nothing Else Should Change    worker-frozen    ${REDIS}    pending
    Kill Worker
    Start Worker
    ${cards} =    Cards In    ${run.output}
    FOR    ${name}    ${card}    IN    &{cards}
        Verdict Is There    ${card.id}
    END
    [Teardown]    End Worker

Disk Is Full When Cards Are Attached
    [Documentation]    Robot's own output fits, with cards it does not: it stays as it is.
    [Template]    NONE
    ${room} =    Size Of    ${PLAIN.output}
    ${run} =    Run Robot As
    ...    prlimit --fsize\=${{ $room + 2000 }}
    ...    ${EMPTY}
    ...    full
    ...    @{QUICK}
    ...    small.robot
    ...    listener=${LISTENER}
    ...    DDN_REDIS_URL=${REDIS}
    Should Be The Same Run    ${run}    ${PLAIN}
    Should Contain    ${run.stdout}    Attaching analyses to '${run.output}' failed: File too large
    ${cards} =    Cards In    ${run.output}
    Should Be Empty    ${cards}

Output Folder Becomes Read Only
    [Documentation]    Nothing can be attached, nothing spooled: the console says so, and has the verdicts.
    [Template]    NONE
    ${plain} =    Run Robot Bound By Permissions    protected-plain    @{QUICK}    faults/protected.robot    listener=
    ${run} =    Run Robot Bound By Permissions
    ...    protected
    ...    @{QUICK}
    ...    faults/protected.robot
    ...    listener=${LISTENER}
    ...    DDN_REDIS_URL=redis://127.0.0.1:1/0
    Should Be The Same Run    ${run}    ${plain}
    Should Contain    ${run.stdout}    Failure analysis: 1 failed test
    Should Contain    ${run.stdout}    Permission denied
    [Teardown]    Run Keywords    Make Writable    ${plain.folder}    AND    Make Writable    ${run.folder}

Home Folder Is Somebody Else's
    [Documentation]    Neither the embedded runtime nor a record of the run has a place.
    [Template]    NONE
    ${run} =    Run Robot Bound By Permissions
    ...    no-home
    ...    @{QUICK}
    ...    small.robot
    ...    listener=${LISTENER}
    ...    DDN_HOME=/proc/1/root
    ...    HOME=/proc/1/root
    ...    TMPDIR=/proc/1/root
    Should Be The Same Run    ${run}    ${PLAIN}
    Every Report Should Be Somewhere    ${run}    spooled    kept    answered    pending

No Process Is Left Behind
    [Template]    NONE
    End Faults
    No Process Should Be Left


*** Keywords ***
Run Without Listener
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    VAR    ${PORT}    ${{ $url.rpartition(':')[2].partition('/')[0] }}    scope=SUITE
    ${run} =    Run Robot    plain    @{QUICK}    small.robot    listener=
    VAR    ${PLAIN}    ${run}    scope=SUITE
    ${run} =    Start Robot    waits-plain    @{QUICK}    faults/waits.robot    listener=
    Wait Until File Exists    ${run.folder / 'waiting'}    ${run}
    Create File    ${run.folder}/go
    ${run} =    Wait Until Ended    ${run}
    VAR    ${WAITS}    ${run}    scope=SUITE

Dig A Black Hole
    ${url} =    Black Hole Url
    VAR    ${BLACK HOLE}    ${url}    scope=SUITE

Nothing Else Should Change
    [Arguments]    ${name}    ${redis}    @{ways}
    ${run} =    Run Robot    ${name}    @{QUICK}    small.robot    listener=${LISTENER}    DDN_REDIS_URL=${redis}
    Should Be The Same Run    ${run}    ${PLAIN}
    Every Report Should Be Somewhere    ${run}    @{ways}
    RETURN    ${run}

In The Middle Of A Run
    [Documentation]    Call `fault` when the first test has failed, and the run waits before the others.
    [Arguments]    ${name}    ${fault}    @{ways}
    ${run} =    Start Robot    ${name}    @{QUICK}    faults/waits.robot    listener=${LISTENER}    DDN_REDIS_URL=${REDIS}
    Wait Until File Exists    ${run.folder / 'waiting'}    ${run}
    Run Keyword    ${fault}
    Create File    ${run.folder}/go
    ${run} =    Wait Until Ended    ${run}
    Should Be The Same Run    ${run}    ${WAITS}
    Every Report Should Be Somewhere    ${run}    @{ways}
    RETURN    ${run}

Answers That Cannot Be Used
    [Documentation]    The first verdict stands, and the card says how to get a better one.
    [Arguments]    ${kind}
    Start Answering    ${kind}
    Nothing Else Should Change    ${kind}    ${REDIS}    pending
    [Teardown]    Stop Answering

Answers Of Another Version
    [Arguments]    ${kind}    ${type}
    Start Answering    ${kind}
    ${run} =    Nothing Else Should Change    ${kind}    ${REDIS}    answered
    ${cards} =    Cards In    ${run.output}
    Should Be Equal    ${{ $cards['Books A Room'].type }}    ${type}
    Should Be Equal    ${{ $cards['Books A Room'].cause }}    A worker of another version said so.
    [Teardown]    Stop Answering
