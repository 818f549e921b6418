*** Settings ***
Documentation       Whatever Redis and the disk do, the run is the one that it would have been without the listener, and every report
...                 is attached, waits under its task id, or is in the spool. More rows are in harmless, workers, signals, spool,
...                 oddities and kill; docs/trust.md has them all.
Library             OperatingSystem
Library             Faults.py
Resource            atest.resource
Resource            faults.resource
Suite Setup         Run Without Listener
Suite Teardown      Run Keywords    End Faults    AND    End Programs    AND    End Servers
Test Template       Nothing Else Should Change


*** Test Cases ***
Redis Has No Address
    no-address    redis://no-such-host.invalid:6379/0    spooled

Redis Is A Black Hole
    [Setup]    Dig A Black Hole
    black-hole    ${BLACK HOLE}    spooled

Redis Wants Another Password
    [Documentation]    The one that was tried is shown nowhere.
    [Setup]    Configure Redis    requirepass=right
    [Template]    NONE
    ${run} =    Nothing Else Should Change    wrong-password    redis://:open-sesame@127.0.0.1:${PORT}/0    spooled
    Should Be Nowhere In    ${run}    open-sesame
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

Redis Speaks Nothing But TLS
    [Setup]    Start Redis With TLS
    plain-text    redis://${TLS}/0    spooled

Redis Has A Certificate That Nobody Trusts
    certificate    rediss://${TLS}/0    spooled

Redis Dies During The Run
    [Template]    In The Middle Of A Run
    dies    Kill Redis    pending    spooled
    [Teardown]    Start Redis

Redis Is Flushed During The Run
    [Template]    In The Middle Of A Run
    flushed    Flush Redis    pending

Redis Hangs During The Run
    [Documentation]    What it took before is in its queue when it goes on.
    [Template]    NONE
    ${run} =    In The Middle Of A Run    hangs    Freeze Redis    pending    spooled
    Thaw Redis
    Pending Reports Should Be In Redis    ${run}
    [Teardown]    Thaw Redis

Redis Is Flushed During The Wait
    [Documentation]    The heartbeat is gone with all else, so the wait ends.
    [Template]    NONE
    Empty Redis
    Pretend That A Worker Lives
    ${run} =    Start Robot
    ...    flushed-wait
    ...    @{QUICK}
    ...    faults/waits.robot
    ...    listener=robot_ddn_listener;wait=60
    ...    DDN_REDIS_URL=${REDIS}
    Let It Go On    ${run}    Wait Until A Report Has Arrived
    Wait Until Verdicts Are Asked For
    Flush Redis
    Wait Until Ended    ${run}
    Should Be The Same Run    ${run}    ${WAITS}
    Every Report Should Be Somewhere    ${run}    pending

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

Disk Is Full When A Report Is Spooled
    [Documentation]    The report is larger than Robot's own output. It is nowhere; the console says so, and has the verdict.
    [Template]    NONE
    ${plain} =    Run Robot    full-plain    @{QUICK}    faults/wide.robot    listener=
    ${room} =    Size Of    ${plain.output}
    ${run} =    Run Robot As
    ...    prlimit --fsize\=${{ $room + 1000 }}
    ...    ${EMPTY}
    ...    full-spool
    ...    @{QUICK}
    ...    faults/wide.robot
    ...    listener=${LISTENER}
    ...    DDN_REDIS_URL=redis://127.0.0.1:1/0
    Should Be The Same Run    ${run}    ${plain}
    Should Contain    ${run.stdout}    Failure analysis: 1 failed test
    Should Contain    ${run.stdout}    Lost: 1 report
    ${left} =    Evaluate    list(filter(pathlib.Path.is_file, $run.folder.rglob('*')))    modules=pathlib
    Should Be Equal    ${left}    ${{ [$run.output] }}    Something half written is left.

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
    [Documentation]    The embedded runtime has no place.
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
    Should Contain    ${run.stdout}    Permission denied
    Every Report Should Be Somewhere    ${run}    spooled    kept

No Process Is Left Behind
    [Template]    NONE
    End Faults
    No Process Should Be Left


*** Keywords ***
Dig A Black Hole
    ${url} =    Black Hole Url
    VAR    ${BLACK HOLE}    ${url}    scope=SUITE

Start Redis With TLS
    ${place} =    Start TLS Redis
    VAR    ${TLS}    ${place}    scope=SUITE
