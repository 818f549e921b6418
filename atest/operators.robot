*** Settings ***
Documentation       `ddn up` as an operator lives with it: parts that die or freeze come back, and it ends after its last analyses.
Library             Collections
Library             Stack.py
Resource            atest.resource
Suite Setup         Start It
Suite Teardown      Run Keywords    End Stack    AND    End Programs


*** Test Cases ***
It Says What Testers And Operators Need
    ${said} =    Said
    Should Contain    ${said}    ddn \ \ \ \ \ | Flower \ \ http://127.0.0.1:
    Should Contain    ${said}    Testers \ robot --listener "robot_ddn_listener;redis=${URL}" tests/
    Should Contain    ${said}    reachable from this machine only
    Should Not Contain    ${said}    pass: word

Every Part Is Up
    ${status} =    Run Ddn    status
    Return Code Should Be    ${status}    0
    FOR    ${part}    IN    Redis    worker1@    worker2@    monitor    Flower
        Should Contain    ${status.stdout}    ${part}
    END

A Tester's Run Is Answered
    ${run} =    Run Robot    tester    --test    Answers*    operators.robot    DDN_REDIS_URL=${URL}
    ${cards} =    Cards In    ${run.output}
    Should Be Equal    ${{ next(iter($cards.values())).stage }}    final

A Part That Was Killed Comes Back
    [Template]    Part Comes Back After
    worker1    SIGKILL
    flower    SIGKILL
    monitor    SIGKILL

A Worker That Is Frozen Comes Back
    Part Comes Back After    worker2    SIGSTOP
    ${said} =    Said
    Should Contain    ${said}    worker2 has not beaten for

Reports Are Answered After All That
    ${run} =    Run Robot    later    --test    Answers*    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=later
    ${cards} =    Cards In    ${run.output}
    Should Be Equal    ${{ next(iter($cards.values())).stage }}    final

A Redis That Was Killed Comes Back With All It Held
    Evaluate    redis.Redis.from_url($URL).set('kept', 'yes')    modules=redis
    ${pid} =    Evaluate    redis.Redis.from_url($URL).info('server')['process_id']    modules=redis
    Sleep    1.1s    Its file is written once a second.
    Evaluate    os.kill($pid, 9)    modules=os
    Wait Until Stack Says    redis ended. It is started again.
    Wait Until Keyword Succeeds    20s    0.2s    Redis Still Holds    kept
    Wait Until Keyword Succeeds    60s    1s    Status Should Be    0
    ${run} =    Run Robot    afterwards    --test    Answers*    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=after
    ${cards} =    Cards In    ${run.output}
    Should Be Equal    ${{ next(iter($cards.values())).stage }}    final

A Second Stack Is Refused
    ${second} =    Run Ddn    up    --port    0    FLOWER_PORT=0    DDN_METRICS_PORT=0
    Return Code Should Be    ${second}    2
    Should Contain    ${second.stderr}    another `ddn up` runs with this DDN_HOME

It Ends After Its Running Analyses
    ${run} =    Run Robot    slow    --include    slow    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=slow    DDN_WAIT=0
    ${cards} =    Cards In    ${run.output}
    ${id} =    Evaluate    next(iter($cards.values())).id
    Wait Until Analysis Is    ${id}    STARTED
    Send Signal    ${UP}    SIGINT
    Wait Until Ended    ${UP}    60
    Return Code Should Be    ${UP}    0
    Should Contain    ${UP.stdout}    Running analyses are finished first
    Should Match Regexp    ${UP.stdout}    Task tasks.analyze_test_failure\\[${id}\\] succeeded
    Should Not Contain    ${UP.stdout.rpartition('Ending.')[2]}    is killed
    No Process Should Be Left

What It Finished Is Not Done Again
    Start It
    ${left} =    Number Of Unfinished Reports
    Should Be Equal As Integers    ${left}    0
    Redis Still Holds    kept

Nothing Outlives It When It Is Killed
    Send Signal    ${UP}    SIGKILL
    Wait Until Ended    ${UP}
    No Process Should Be Left


*** Keywords ***
Start It
    ${up} =    Start Stack
    ${stack} =    Get Library Instance    Stack
    VAR    ${UP}    ${up}    scope=SUITE
    VAR    ${URL}    ${stack.redis_url}    scope=SUITE

Part Comes Back After
    [Arguments]    ${part}    ${signal}
    ${old} =    Signal Part    ${part}    ${signal}
    Wait Until Part Is New    ${part}    ${old}
    Wait Until Keyword Succeeds    30s    1s    Status Should Be    0

Status Should Be
    [Arguments]    ${code}
    ${status} =    Run Ddn    status
    Return Code Should Be    ${status}    ${code}

Redis Still Holds
    [Arguments]    ${key}
    ${value} =    Evaluate    redis.Redis.from_url($URL).get($key)    modules=redis
    Should Be Equal    ${value}    ${{ b'yes' }}
