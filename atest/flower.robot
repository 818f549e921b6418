*** Settings ***
Documentation       Flower over a real stack: what its pages show, what its buttons do with our workers, who may look.
Library             Collections
Library             Stack.py
Resource            atest.resource
Suite Setup         Analyse Some Failures
Suite Teardown      Run Keywords    End Stack    AND    End Programs
Test Tags           backend


*** Variables ***
${TASK}             tasks.analyze_test_failure


*** Test Cases ***
Workers Are Shown
    ${page} =    Open Flower    /workers
    ${text} =    Shown Text    ${page}
    Should Contain    ${text}    worker1@
    Should Contain    ${text}    worker2@
    Should Contain X Times    ${text}    Online    3

Tasks Are Shown With What Their Analyses Say
    ${page} =    Open Flower    /tasks
    ${text} =    Shown Text    ${page}
    FOR    ${heading}    IN    Test    Error type    Confidence    Degraded or failed    State    Runtime    Project
        Should Contain    ${text}    ${heading}
    END
    Should Contain    ${text}    Fails With The Model
    Should Contain    ${text}    INFRA_ERROR
    Should Contain    ${text}    FAILURE
    Should Contain    ${text}    gemini:
    Should Contain    ${text}    atest

Names And Messages Stay Text
    FOR    ${path}    IN    /tasks    /task/${TASKS}[Answers][uuid]    /task/${TASKS}[Degrades][uuid]
        ${page} =    Open Flower    ${path}
        ${title} =    Shown Title    ${page}
        Should Not Contain    ${title}    OWNED
        ${text} =    Shown Text    ${page}
        Should Contain    ${text}    document.title=`OWNED`
    END

An Answered Task Has Its Cause First
    ${page} =    Open Flower    /task/${TASKS}[Answers][uuid]
    ${text} =    Shown Text    ${page}
    Should Contain    ${text}    root_cause: The <b>gizmo</b> is down. recommendation: Start it. confidence: 0.
    Should Contain    ${text}    project: atest suite_name: Operators test_name: Answers <img
    Should Contain    ${text}    Error type INFRA_ERROR Confidence

A Degraded Task Says What Was Missing
    ${page} =    Open Flower    /task/${TASKS}[Degrades][uuid]
    ${text} =    Shown Text    ${page}
    Should Contain    ${text}    degraded: gemini:

A Failed Task Has Its Error, Stack And Retries
    ${page} =    Open Flower    /task/${TASKS}[Fails][uuid]
    ${text} =    Shown Text    ${page}
    Should Contain    ${text}    failed: 500: It went wrong.
    Should Contain    ${text}    Traceback (most recent call last):
    Should Contain    ${text}    Retries 3

The Broker Is Shown
    ${page} =    Open Flower    /broker
    ${text} =    Shown Text    ${page}
    Should Contain    ${text}    ddn

Flower Asks Who Is There
    ${status}    ${body} =    Flower Answers    /tasks    user=
    Should Be Equal As Integers    ${status}    401
    ${status}    ${body} =    Flower Answers    /api/tasks    password=wrong
    Should Be Equal As Integers    ${status}    401
    ${status}    ${body} =    Flower Answers    /healthcheck    user=
    Should Be Equal As Integers    ${status}    200    Whoever restarts what is not well needs no login.

What Flower Keeps Is Private, And No Password Is On A Command Line
    ${kept} =    Evaluate    {file.name: oct(file.stat().st_mode & 0o777) for file in pathlib.Path($HOME_FOLDER, 'flower').iterdir()}    modules=pathlib
    Should Not Be Empty    ${kept}
    FOR    ${mode}    IN    @{kept.values()}
        Should Be Equal    ${mode}    0o600
    END
    ${commands} =    Evaluate    subprocess.check_output(['ps', '-eo', 'args'], text=True)    modules=subprocess
    Should Not Contain    ${commands}    pass: word

Buttons Of The Pool Do Nothing
    [Documentation]    Threads have a fixed number.
    [Template]    Button Should Be Refused
    /api/worker/pool/grow/${WORKER}    n=2
    /api/worker/pool/shrink/${WORKER}    n=1
    /api/worker/pool/autoscale/${WORKER}    min=1    max=4
    /api/worker/pool/restart/${WORKER}

A Task That Waits Can Be Revoked, And A Cancelled Queue Waits
    Button Works On Both    /api/worker/queue/cancel-consumer/    queue=ddn
    ${run} =    Run Robot    waits    --test    Answers*    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=revoked    DDN_WAIT=0
    ${id} =    Only Report In    ${run}
    ${status}    ${body} =    Flower Answers    /api/task/revoke/${id}    POST
    Should Be Equal As Integers    ${status}    200
    Button Works On Both    /api/worker/queue/add-consumer/    queue=ddn
    Wait Until Analysis Is    ${id}    REVOKED

Terminate Lets A Running Analysis End At Its Next Step
    ${run} =    Run Robot    terminated    --include    slow    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=ended    DDN_WAIT=0
    ${id} =    Only Report In    ${run}
    Wait Until Analysis Is    ${id}    STARTED
    ${status}    ${body} =    Flower Answers    /api/task/revoke/${id}    POST    terminate=true
    Should Be Equal As Integers    ${status}    200
    Wait Until Analysis Is    ${id}    REVOKED

Time Limits Are Taken And Have No Effect
    [Documentation]    Threads cannot be ended: an analysis that takes longer than its hard limit is answered all the same.
    Button Works On Both    /api/task/timeout/${TASK}    soft=1    hard=2
    ${run} =    Run Robot    timed    --include    slow    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=timed    DDN_WAIT=0
    ${id} =    Only Report In    ${run}
    Wait Until Analysis Is    ${id}    SUCCESS

A Rate Limit Holds Of One Worker
    [Documentation]    Twenty a minute are one each three seconds.
    ${other} =    Evaluate    $WORKER.replace('worker1', 'worker2')
    Button Works    /api/worker/queue/cancel-consumer/${other}    queue=ddn
    Button Works    /api/task/rate-limit/${TASK}    workername=${WORKER}    ratelimit=20/m
    Run Robot    limited    --test    Answers*    --test    Degrades*    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=limited
    ${first}    ${second} =    Starts Of    limited    ${2}
    Should Be True    ${second} - ${first} > 2.5
    Button Works    /api/task/rate-limit/${TASK}    workername=${WORKER}    ratelimit=0
    Button Works    /api/worker/queue/add-consumer/${other}    queue=ddn

Shut Down Is A Restart Under Ddn Up
    ${old} =    Processes Of Stack
    ${status}    ${body} =    Flower Answers    /api/worker/shutdown/${WORKER}    POST
    Should Be Equal As Integers    ${status}    200
    Wait Until Part Is New    worker1    ${old}[worker1]
    ${said} =    Said
    Should Contain    ${said}    worker1 ended with code 0. It is started again

Viewers Change Nothing
    Start Viewer
    ${status}    ${body} =    Flower Answers    /tasks
    Should Be Equal As Integers    ${status}    200
    FOR    ${path}    IN    /api/task/revoke/1    /api/worker/shutdown/${WORKER}    /api/worker/pool/grow/${WORKER}
        ${status}    ${body} =    Flower Answers    ${path}    POST
        Should Be Equal As Integers    ${status}    403
    END


*** Keywords ***
Analyse Some Failures
    ${up} =    Start Stack
    ${stack} =    Get Library Instance    Stack
    VAR    ${URL}    ${stack.redis_url}    scope=SUITE
    ${programs} =    Get Library Instance    Programs
    VAR    ${HOME_FOLDER}    ${programs.home}    scope=SUITE
    Run Robot    run    --exclude    slow    operators.robot    DDN_REDIS_URL=${URL}    DDN_PROJECT=atest    DDN_WAIT=1
    Wait Until Task Is    Answers    SUCCESS
    Wait Until Task Is    Fails    FAILURE
    Wait Until Task Is    Degrades    SUCCESS
    ${tasks} =    Flower Tasks
    VAR    ${TASKS}    ${tasks}    scope=SUITE
    ${host} =    Evaluate    platform.node()    modules=platform
    VAR    ${WORKER}    worker1@${host}    scope=SUITE
    Flower Answers    /api/workers?refresh\=1

Button Should Be Refused
    [Arguments]    ${path}    &{fields}
    ${status}    ${body} =    Flower Answers    ${path}    POST    &{fields}
    Should Be Equal As Integers    ${status}    403

Button Works
    [Arguments]    ${path}    &{fields}
    ${status}    ${body} =    Flower Answers    ${path}    POST    &{fields}
    Should Be Equal As Integers    ${status}    200    ${body}

Button Works On Both
    [Arguments]    ${path}    &{fields}
    ${other} =    Evaluate    $WORKER.replace('worker1', 'worker2')
    FOR    ${worker}    IN    ${WORKER}    ${other}
        IF    $path.endswith('/')
            Button Works    ${path}${worker}    &{fields}
        ELSE
            Button Works    ${path}    workername=${worker}    &{fields}
        END
    END

Only Report In
    [Arguments]    ${run}
    ${cards} =    Cards In    ${run.output}
    ${id} =    Evaluate    next(iter($cards.values())).id
    RETURN    ${id}
