*** Settings ***
Documentation       Whatever happens to workers, and whatever they answer, the run is the one that it would have been without the
...                 listener; what they did not answer in time is attached later. docs/trust.md has the rows.
Library             OperatingSystem
Library             Workers.py
Resource            atest.resource
Resource            faults.resource
Suite Setup         Run Without Listener
Suite Teardown      Run Keywords    End Faults    AND    End Programs    AND    End Servers


*** Test Cases ***
No Worker Is There
    Empty Redis
    ${run} =    In The Middle Of A Run    no-worker    No Operation    pending
    Pending Reports Should Be In Redis    ${run}

Answers Never Come
    Empty Redis
    Pretend That A Worker Lives
    ${run} =    In The Middle Of A Run    never    No Operation    pending
    Pending Reports Should Be In Redis    ${run}

Answers Come Late
    [Documentation]    The run is over.
    Empty Redis
    Pretend That A Worker Lives
    ${run} =    In The Middle Of A Run    late    No Operation    pending
    Answer What Waits    old
    ${cards} =    Attach To    ${run}
    Should Be Equal    ${{ $cards['Fails Before'].cause }}    A stand-in of a worker said so.

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
    [Documentation]    It says less than a worker of this version.
    [Template]    Answers Of Another Version
    old    TEST_ERROR

Worker Is Of A Newer Version
    [Documentation]    It says what this listener does not know, among what it knows.
    [Template]    Answers Of Another Version
    new    UNKNOWN

Worker Is Killed During The Run
    [Documentation]    Another one, started later, answers all that it had taken.
    Empty Redis
    Start Worker
    ${run} =    In The Middle Of A Run    worker-dies    Kill Worker    answered    pending
    Start Worker
    Attach To    ${run}
    [Teardown]    End Worker

Worker Is Frozen And Then Killed
    [Documentation]    It had asked Redis for its next message, which was on its way when the worker died.
    Empty Redis
    Start Worker
    Freeze Worker
    ${run} =    In The Middle Of A Run    worker-frozen    No Operation    pending
    Kill Worker
    Start Worker
    Attach To    ${run}
    [Teardown]    End Worker

Worker Is Slow
    [Documentation]    It is at work, with a model that answers when the run is over.
    Empty Redis
    ${model} =    Start Model    slow
    Start Worker    &{model}
    ${run} =    In The Middle Of A Run    slow    Wait Until The Model Is Asked    pending
    Let The Model Answer
    ${cards} =    Attach To    ${run}
    Should Contain    ${{ $cards['Fails Before'].text }}    The model says so.
    [Teardown]    Run Keywords    End Model    AND    End Worker

Worker Dies Of One Report Again And Again
    [Documentation]    The other report is answered; this one is set aside after three deliveries.
    [Tags]    backend
    Empty Redis
    ${model} =    Start Model    poison    deadly=The first one.
    Start Worker    &{model}
    ${run} =    In The Middle Of A Run    poison    No Operation    pending
    Let Workers Die    ${3}    &{model}
    ${cards} =    Attach To    ${run}
    Should Contain    ${{ $cards['Fails Before'].text }}    the worker was killed 3 times
    Should Contain    ${{ $cards['Fails Then'].text }}    The model says so.
    VAR    &{place}    DDN_REDIS_URL=${REDIS}    DDN_HOME=${model}[DDN_HOME]
    ${dead} =    Run Ddn    dead    &{place}
    Should Contain    ${dead.stdout}    1 dead letter
    Should Contain    ${dead.stdout}    Fails Before
    [Teardown]    Run Keywords    End Model    AND    End Worker

No Process Is Left Behind
    End Faults
    No Process Should Be Left


*** Keywords ***
Answers That Cannot Be Used
    [Documentation]    The first verdict stands, and the card says how to get a better one.
    [Arguments]    ${kind}
    Start Answering    ${kind}
    In The Middle Of A Run    ${kind}    No Operation    pending
    [Teardown]    Stop Answering

Answers Of Another Version
    [Arguments]    ${kind}    ${type}
    Start Answering    ${kind}
    ${run} =    In The Middle Of A Run    ${kind}    No Operation    answered    listener=robot_ddn_listener;wait=60
    ${cards} =    Cards In    ${run.output}
    Should Be Equal    ${{ $cards['Fails Before'].type }}    ${type}
    Should Be Equal    ${{ $cards['Fails Before'].cause }}    A stand-in of a worker said so.
    [Teardown]    Stop Answering
