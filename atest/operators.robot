*** Settings ***
Documentation       `ddn up` as an operator lives with it: parts that die or freeze come back, and it ends after its last analyses.
Library             Collections
Library             OperatingSystem
Library             Faults.py
Library             Stack.py
Library             Numbers.py
Resource            atest.resource
Resource            faults.resource
Suite Setup         Start It
Suite Teardown      Run Keywords    End Stack    AND    End Programs
Test Tags           backend


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

Every Window Tells The Same Of A Run
    [Documentation]    One test passes; of the three that fail one is answered, one degraded, and one analysis fails for good.
    ${run} =    Run Robot    tester    --exclude    slow    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=first
    ${cards} =    Cards In    ${run.output}
    Length Should Be    ${cards}    3
    Wait Until Task Is    Fails    FAILURE
    Numbers Should Agree    first=2 1 2
    Report Page Should Agree    first    success=${2}    failure=${1}
    Flower Should Agree    first    ${3}
    Flowers Page Should Show    first
    Should Be Equal    ${{ sorted(card.id for card in $cards.values()) }}    ${{ $NUMBERS.ids_of_analyses('first') }}
    ${status} =    Run Ddn    status
    Should Contain    ${status.stdout}    1 dead letter:

What Waits Is Told Everywhere
    [Documentation]    A report, and the record of its run.
    Run Ddn    pause    Pinecone is down
    Run Robot    paused    --test    Answers*    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=paused
    Waiting Should Be Everywhere    ${2}
    ${resumed} =    Run Ddn    resume
    Return Code Should Be    ${resumed}    0

Analyses Go On While A Worker Is Frozen And Others Are Killed
    [Documentation]    What is analysed while there is no monitor is counted when there is one again; dead letters are sent again.
    ${frozen} =    Signal Part    worker2    SIGSTOP
    ${killed} =    Signal Part    monitor    SIGKILL
    ${plain} =    Run Robot    during-plain    --exclude    slow    operators.robot    listener=
    ${run} =    Run Robot
    ...    during
    ...    --exclude
    ...    slow
    ...    operators.robot
    ...    DDN_REDIS_URL=${URL}
    ...    DDN_PROJECT=during
    ...    DDN_WAIT=1
    Should Be The Same Run    ${run}    ${plain}
    ${sent} =    Run Ddn    requeue    --failed
    Should Contain    ${sent.stdout}    1 report sent to
    Wait Until Part Is New    monitor    ${killed}
    Wait Until Nothing Is Unfinished
    Wait Until Flower Has Saved
    FOR    ${part}    IN    worker1    flower
        ${old} =    Signal Part    ${part}    SIGKILL
        Wait Until Part Is New    ${part}    ${old}
    END
    Wait Until Part Is New    worker2    ${frozen}
    ${said} =    Said
    Should Contain    ${said}    worker2 has not beaten for

Every Window Still Tells The Same
    All Workers Should Be Online    ${2}
    Numbers Should Agree    first=2 2 3    during=2 1 2    paused=1 0 0
    Flower Should Agree    first    ${3}
    Flower Should Agree    during    ${3}

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
    Numbers Should Agree    first=2 2 3    during=2 1 2    paused=1 0 0    after=1 0 0
    All Workers Should Be Online    ${2}

Runs Do Not Notice What Is Killed Beside Them
    ${plain} =    Start Robot    killed-plain    faults/waits.robot    listener=
    Let It Go On    ${plain}
    Wait Until Ended    ${plain}
    FOR    ${part}    IN    flower    monitor    worker1
        ${run} =    Start Robot    killed-${part}    faults/waits.robot    DDN_REDIS_URL=${URL}    DDN_WAIT=1
        Wait Until File Exists    ${run.folder / 'waiting'}    ${run}
        ${old} =    Signal Part    ${part}    SIGKILL
        Let It Go On    ${run}
        Wait Until Ended    ${run}
        Should Be The Same Run    ${run}    ${plain}
        Every Report Should Be Somewhere    ${run}
        Wait Until Part Is New    ${part}    ${old}
    END
    Wait Until Nothing Is Unfinished

What Cannot Be Used Is One Line And Exit Code 2
    [Template]    Is Refused
    nobody listens there    up    DDN_REDIS_URL=redis://127.0.0.1:1/0
    got the scheme 'http'    worker    DDN_REDIS_URL=http://127.0.0.1/0
    for Flower failed: address already in use    flower    DDN_REDIS_URL=${URL}    FLOWER_PORT=${{ $STACK.flower.rpartition(':')[2] }}
    the user or password is    monitor    DDN_REDIS_URL=redis://somebody:wrong-word@${{ $URL.partition('//')[2] }}
    expected one of success-rate    alert    --test    DDN_ALERTS=${TESTDATA}/alerts.toml

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
    ${numbers} =    Get Library Instance    Numbers
    VAR    ${NUMBERS}    ${numbers}    scope=SUITE
    VAR    ${STACK}    ${stack}    scope=SUITE
    VAR    ${UP}    ${up}    scope=SUITE
    VAR    ${URL}    ${stack.redis_url}    scope=SUITE

Is Refused
    [Arguments]    ${words}    @{arguments}    &{environment}
    ${ddn} =    Run Ddn    @{arguments}    DDN_METRICS_PORT=0    &{environment}
    Return Code Should Be    ${ddn}    2
    Should Contain    ${ddn.stderr}    ${words}
    Should Be Equal As Integers    ${ddn.stderr.count('\n')}    1
    Should Be Empty    ${ddn.stdout}

Status Should Be
    [Arguments]    ${code}
    ${status} =    Run Ddn    status
    Return Code Should Be    ${status}    ${code}

Redis Still Holds
    [Arguments]    ${key}
    ${value} =    Evaluate    redis.Redis.from_url($URL).get($key)    modules=redis
    Should Be Equal    ${value}    ${{ b'yes' }}
