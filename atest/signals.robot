*** Settings ***
Documentation       Ctrl-C and SIGTERM, in a test and during the wait for answers: the run is the one without the listener, and log and
...                 report are always written.
Library             OperatingSystem
Library             Faults.py
Resource            atest.resource
Resource            faults.resource
Suite Setup         Start A Silent Backend
Suite Teardown      Run Keywords    End Programs    AND    End Servers


*** Test Cases ***
Interrupt In A Test
    [Template]    Signal In A Test
    SIGINT

Termination In A Test
    [Template]    Signal In A Test
    SIGTERM

Interrupt During The Wait
    [Template]    Signal During The Wait
    SIGINT

Termination During The Wait
    [Template]    Signal During The Wait
    SIGTERM

No Wait Where No Worker Lives
    [Documentation]    Redis is there, but nobody takes reports from it.
    Empty Redis
    ${run} =    Start Waiting    no-worker    3600
    Wait Until Ended    ${run}
    Should Be The Same Run    ${run}    ${WAITS}
    ${cards} =    Cards In    ${run.output}
    ${card} =    Set Variable    ${cards}[Fails Before]
    Should Be Equal    ${card.stage}    interim
    Should Contain    ${card.text}    no worker is online    ignore_case=True
    Should Contain    ${card.text}    ddn attach output.xml

No Wait Is Wanted
    Empty Redis
    Pretend That A Worker Lives
    ${run} =    Start Waiting    no-wait    0
    Wait Until Ended    ${run}
    Should Be The Same Run    ${run}    ${WAITS}
    ${cards} =    Cards In    ${run.output}
    ${card} =    Set Variable    ${cards}[Fails Before]
    Should Be Equal    ${card.stage}    interim
    Should Contain    ${card.text}    ddn attach output.xml
    ${waiting} =    Number Of Waiting Analyses
    Should Be Equal As Integers    ${waiting}    2

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Start A Silent Backend
    VAR    @{QUICK}    @{EMPTY}    scope=SUITE    # log and report are wanted here
    Run Without Listener

Start Waiting
    [Documentation]    Start a run that may wait for so many seconds; it has begun to send when it goes on to its last tests.
    [Arguments]    ${name}    ${seconds}
    ${run} =    Start Robot
    ...    ${name}
    ...    faults/waits.robot
    ...    listener=robot_ddn_listener;wait=${seconds}
    ...    DDN_REDIS_URL=${REDIS}
    Let It Go On    ${run}    Wait Until A Report Has Arrived
    RETURN    ${run}

Signal In A Test
    [Documentation]    The stopped test is answered by a rule; it and the one that was not run after it say what stopped them.
    [Arguments]    ${signal}
    Empty Redis
    ${plain} =    Stop By Signal    ${signal}    in-test-plain-${signal}    listener=
    ${run} =    Stop By Signal    ${signal}    in-test-${signal}    listener=robot_ddn_listener
    Should Be The Same Run    ${run}    ${plain}
    Every Failure Should Have One Card    ${run.output}
    ${cards} =    Cards In    ${run.output}
    ${stopped} =    Set Variable    ${cards}[Is Stopped]
    ${after} =    Set Variable    ${cards}[Comes After]
    Should Contain    ${stopped.text}    stopped from outside by a signal
    Should Contain    ${stopped.text}    Nothing was sent
    Should Contain    ${after.text}    NOT ANALYSED
    Should Contain    ${after.text}    did not run
    Should Contain    ${after.text}    signal    The trigger is not named.
    Should Not Contain    ${after.text}    Fails Before    Another test is named as the trigger.
    ${tags} =    Analysis Tags In    ${run.output}
    Should Be Equal    ${tags}[Is Stopped]    ddn:infra_error
    Should Not Contain    ${tags}    Comes After
    File Should Exist    ${run.log}
    File Should Exist    ${run.report}

Signal During The Wait
    [Arguments]    ${signal}
    Empty Redis
    Pretend That A Worker Lives
    ${run} =    Start Waiting    wait-${signal}    3600
    Wait Until Verdicts Are Asked For
    Send Signal    ${run}    ${signal}
    Wait Until Ended    ${run}
    Should Be The Same Run    ${run}    ${WAITS}
    File Should Exist    ${run.report}
    Every Failure Should Have One Card    ${run.output}
    ${cards} =    Cards In    ${run.output}
    ${card} =    Set Variable    ${cards}[Fails Before]
    Should Be Equal    ${card.stage}    interim
    Should Contain    ${card.text}    interrupted    ignore_case=True
    Should Contain    ${card.text}    ddn attach output.xml
    ${page} =    Open Page    ${run.log}
    ${shown} =    Shown Cards    ${page}
    Length Should Be    ${shown}    3

Stop By Signal
    [Documentation]    Send it while a keyword of a library runs, always the same.
    [Arguments]    ${signal}    ${name}    ${listener}
    ${run} =    Start Robot    ${name}    signals.robot    listener=${listener}    DDN_REDIS_URL=${REDIS}
    Wait Until File Exists    ${run.folder / 'started.txt'}    ${run}
    Send Signal    ${run}    ${signal}
    Wait Until Ended    ${run}
    RETURN    ${run}
