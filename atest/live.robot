*** Settings ***
Documentation       An operator steers the queue while runs send to it: pause, purge, revoke, requeue; a worker that restarts knows it all.
Library             OperatingSystem
Library             Servers.py
Resource            atest.resource
Suite Setup         Start The Backend
Suite Teardown      Run Keywords    End Programs    AND    End Servers
Test Tags           backend


*** Test Cases ***
Paused Run Ends Without Waiting And Its Cards Say Why
    [Documentation]    The wait it may take is longer than a check may last. The worker starts after the pause.
    Ddn Should Say    The queue is paused: Pinecone is down (by    pause    Pinecone is down
    Start Worker
    ${run} =    Run Robot    paused    small.robot    DDN_REDIS_URL=${REDIS}    DDN_WAIT=3600
    Return Code Should Be    ${run}    4
    VAR    ${RUN}    ${run}    scope=SUITE
    ${cards} =    Cards In    ${RUN.output}
    FOR    ${name}    ${card}    IN    &{cards}
        Should Be Equal    ${card.stage}    interim    Card of '${name}'
    END
    Should Contain    ${{ $cards['Reads The Plan'].text }}    the queue is paused: Pinecone is down
    ${waiting} =    Number Of Waiting Analyses
    Should Be Equal As Integers    ${waiting}    2

Status And Tasks Tell Of It
    ${ddn} =    Operate    status    # neither monitor nor Flower run, and nobody said that they should
    Should Contain    ${ddn.stdout}    Pinecone is down
    ${ddn} =    Operate    tasks    --state    QUEUED
    Should Contain    ${ddn.stdout}    2 runs
    Should Contain    ${ddn.stdout}    Reads The Plan

Attach Does Not Wait Either
    ${ddn} =    Run Ddn    attach    ${RUN.output}    --wait    3600    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${ddn}    1
    Should Contain    ${ddn.said}    the queue is paused: Pinecone is down

Purged Reports Are Sent Again From The History
    Ddn Should Say    2 reports taken out and kept in the history    purge    --yes
    ${waiting} =    Number Of Waiting Analyses
    Should Be Equal As Integers    ${waiting}    0
    Ddn Should Say    2 reports would be sent    requeue    --pending    --dry-run
    Ddn Should Say    2 reports sent to    requeue    --pending    --since    1h
    ${waiting} =    Number Of Waiting Analyses
    Should Be Equal As Integers    ${waiting}    2

Revoked One Never Runs And The Rest Is Answered After The Pause
    ${before} =    Cards In    ${RUN.output}
    ${revoked} =    Set Variable    ${before}[Books A Room]
    Ddn Should Say    it never runs    revoke    ${revoked.id}
    Ddn Should Say    Resumed. The queue was paused: Pinecone is down    resume
    ${ddn} =    Run Ddn    attach    ${RUN.output}    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${ddn}    0
    ${after} =    Cards In    ${RUN.output}
    FOR    ${name}    ${card}    IN    &{after}
        Should Be Equal    ${card.stage}    final    Card of '${name}'
        Should Not Contain    ${card.text}    paused
    END
    Should Contain    ${{ $after['Books A Room'].text }}    revoked by
    Should Not Contain    ${{ $after['Reads The Plan'].text }}    revoked by
    Should Not Contain    ${{ $after['Reads The Plan'].text }}    purged by

Restarted Worker Still Knows What Was Revoked
    Ddn Should Say    The queue is paused: upgrade    pause    upgrade
    ${run} =    Run Robot    revoked    small.robot    DDN_REDIS_URL=${REDIS}
    Ddn Should Say    2 reports revoked    revoke    --pending
    End Worker
    Start Worker
    ${again} =    Run Robot    same    small.robot    DDN_REDIS_URL=${REDIS}    listener=robot_ddn_listener;run=twice
    Ddn Should Say    2 reports revoked    revoke    --pending
    Ddn Should Say    Resumed    resume
    ${sent once more} =    Run Robot    same    small.robot    DDN_REDIS_URL=${REDIS}    listener=robot_ddn_listener;run=twice
    FOR    ${one}    IN    ${run}    ${sent once more}
        Run Ddn    attach    ${one.output}    --wait    0    DDN_REDIS_URL=${REDIS}
        ${cards} =    Cards In    ${one.output}
        FOR    ${name}    ${card}    IN    &{cards}
            Should Be Equal    ${card.stage}    final    Card of '${name}'
        END
        Should Contain    ${{ $cards['Reads The Plan'].text }}    revoked by
    END

Nothing Is Dead And Wrong Input Is One Line
    Ddn Should Say    0 dead letters    dead
    ${ddn} =    Operate    revoke    no-such-id    code=2
    Should Contain    ${ddn.stderr}    no analysis has an id that begins so
    ${ddn} =    Operate    limit    model    fast    code=2
    Should Contain    ${ddn.stderr}    expected N/min

Limits Change At Run Time
    Ddn Should Say    github\ \ 10/min (as set)    limit
    Ddn Should Say    github\ \ 3/min (by an operator; 10/min as set)    limit    github    3/min
    Ddn Should Say    github\ \ no limit (by an operator; 10/min as set)    limit    github    off
    Ddn Should Say    github\ \ 10/min (as set)    limit    github    default


*** Keywords ***
Start The Backend
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    ${home} =    Worker Home
    Remove Directory    ${home}    recursive=True

Operate
    [Documentation]    Run an operator's command on the worker's machine.
    [Arguments]    @{arguments}    ${code}=0
    ${home} =    Worker Home
    ${ddn} =    Run Ddn    @{arguments}    DDN_REDIS_URL=${REDIS}    DDN_HOME=${home}
    Return Code Should Be    ${ddn}    ${code}
    RETURN    ${ddn}

Ddn Should Say
    [Arguments]    ${words}    @{arguments}
    ${ddn} =    Operate    @{arguments}
    Should Contain    ${ddn.stdout}    ${words}
