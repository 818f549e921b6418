*** Settings ***
Documentation       Ctrl-C and SIGTERM, in a test and during the wait for answers: log and report are always written.
Library             OperatingSystem
Library             Servers.py
Resource            atest.resource
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
    ${run} =    Run Robot    no-worker    small.robot    listener=robot_ddn_listener;wait=60    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${run}    4
    ${cards} =    Cards In    ${run.output}
    ${card} =    Set Variable    ${cards}[Books A Room]
    Should Be Equal    ${card.stage}    interim
    Should Contain    ${card.text}    no worker is online    ignore_case=True
    Should Contain    ${card.text}    ddn attach output.xml
    Should Be True    $run.seconds < 30    It waited: ${run.seconds} s

No Wait Is Wanted
    Empty Redis
    Pretend That A Worker Lives
    ${run} =    Run Robot    no-wait    small.robot    listener=robot_ddn_listener;wait=0    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${run}    4
    ${cards} =    Cards In    ${run.output}
    ${card} =    Set Variable    ${cards}[Books A Room]
    Should Be Equal    ${card.stage}    interim
    Should Contain    ${card.text}    ddn attach output.xml
    ${waiting} =    Number Of Waiting Analyses
    Should Be Equal As Integers    ${waiting}    2

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Start A Silent Backend
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE

Signal In A Test
    [Documentation]    The stopped test and the one that was not run after it say what stopped them.
    [Arguments]    ${signal}
    Empty Redis
    ${run} =    Start Robot    in-test-${signal}    signals.robot    DDN_REDIS_URL=${REDIS}
    Wait Until File Exists    ${run.folder / 'started.txt'}    ${run}
    Send Signal    ${run}    ${signal}
    Wait Until Ended    ${run}
    ${expected} =    Return Code Without Listener    ${signal}
    Return Code Should Be    ${run}    ${expected}
    Every Failure Should Have One Card    ${run.output}
    ${cards} =    Cards In    ${run.output}
    ${stopped} =    Set Variable    ${cards}[Is Stopped]
    ${after} =    Set Variable    ${cards}[Comes After]
    Should Contain    ${stopped.text}    NOT ANALYSED
    Should Contain    ${stopped.text}    signal
    Should Contain    ${after.text}    NOT ANALYSED
    Should Contain    ${after.text}    did not run
    Should Contain    ${after.text}    signal    The trigger is not named.
    Should Not Contain    ${after.text}    Fails Before    Another test is named as the trigger.
    ${tags} =    Analysis Tags In    ${run.output}
    Should Not Contain    ${tags}    Is Stopped
    Should Not Contain    ${tags}    Comes After
    File Should Exist    ${run.log}
    File Should Exist    ${run.report}

Signal During The Wait
    [Arguments]    ${signal}
    Empty Redis
    Pretend That A Worker Lives
    ${run} =    Start Robot    wait-${signal}    small.robot    listener=robot_ddn_listener;wait=90    DDN_REDIS_URL=${REDIS}
    Wait Until Verdicts Are Asked For
    Send Signal    ${run}    ${signal}
    Wait Until Ended    ${run}    60
    Return Code Should Be    ${run}    4
    File Should Exist    ${run.report}
    Every Failure Should Have One Card    ${run.output}
    ${cards} =    Cards In    ${run.output}
    ${card} =    Set Variable    ${cards}[Books A Room]
    Should Be Equal    ${card.stage}    interim
    Should Contain    ${card.text}    interrupted    ignore_case=True
    Should Contain    ${card.text}    ddn attach output.xml
    ${page} =    Open Page    ${run.log}
    ${shown} =    Shown Cards    ${page}
    Length Should Be    ${shown}    3

Return Code Without Listener
    [Arguments]    ${signal}
    ${run} =    Start Robot    plain-${signal}    signals.robot    listener=
    Wait Until File Exists    ${run.folder / 'started.txt'}    ${run}
    Send Signal    ${run}    ${signal}
    Wait Until Ended    ${run}
    RETURN    ${run.code}
