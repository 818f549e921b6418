*** Settings ***
Documentation       Every run tells how its tests ended, so a failure is known to be new, to have come back, or to come and go.
Library             Collections
Library             OperatingSystem
Library             Process
Library             Servers.py
Resource            atest.resource
Suite Setup         Make A Checkout
Suite Teardown      Run Keywords    End Programs    AND    End Servers


*** Variables ***
@{GIT}              git    -c    user.name=a    -c    user.email=a@b


*** Test Cases ***
A Passing Run Leaves A File And Starts Nothing
    ${run} =    Run The Till    passes    0
    Should Be Empty    ${run.stderr}
    Number Of Kept Runs Should Be    1    embedded
    ${runtimes} =    Evaluate    list(pathlib.Path($RUN_HOME).glob('*/runtime.log'))    modules=pathlib
    Should Be Empty    ${runtimes}

A Failure That Was Never Seen Is New And Names The Commit Since The Pass
    Change The Till    1
    ${run} =    Run The Till    breaks    1
    ${card} =    Only Card In    ${run}
    Should Contain    ${card.text}    first time in this project
    Should Contain    ${card.text}    ${CHANGE}[:7]
    Should Contain    ${card.text}    last pass
    Number Of Kept Runs Should Be    0    embedded

A Failure That Is Still There Is Known
    ${run} =    Run The Till    stays    1
    ${card} =    Only Card In    ${run}
    Should Contain    ${card.text}    known, seen 2 times

A Failure That Was Gone And Is Back Is Told As That
    Change The Till    10
    Run The Till    mended    0
    Change The Till    2
    ${run} =    Run The Till    back    1
    ${card} =    Only Card In    ${run}
    Should Contain    ${card.text}    came back after it had been gone

A Failure That Comes And Goes At One Commit Is Told As That
    Run The Till    goes    0    IN_THE_TILL=100
    ${run} =    Run The Till    comes    1
    ${card} =    Only Card In    ${run}
    Should Contain    ${card.text}    comes and goes

A Redis That Hangs Changes Nothing And Gets The Run Later
    ${url} =    Start Redis
    Freeze Redis
    ${run} =    Run The Till    hung    0    IN_THE_TILL=100    DDN_REDIS_URL=${url}
    Should Be Empty    ${run.stderr}
    ${plain} =    Run The Till    plain    0    IN_THE_TILL=100    listener=
    ${found} =    Console Without Analysis    ${run.stdout}    ${run.folder}
    ${expected} =    Console Without Analysis    ${plain.stdout}    ${plain.folder}
    Should Be Equal    ${found}    ${expected}
    Number Of Kept Runs Should Be    1    redis-*
    Thaw Redis
    Empty Redis
    Run The Till    thawed    0    IN_THE_TILL=100    DDN_REDIS_URL=${url}
    Number Of Kept Runs Should Be    0    redis-*
    ${waiting} =    Number Of Waiting Reports
    Should Be Equal As Integers    ${waiting}    2

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Make A Checkout
    ${suite} =    Evaluate    $SUITE_NAME.rpartition('.')[2].lower()
    VAR    ${CHECKOUT}    ${OUTPUT DIR}${/}${suite}${/}checkout    scope=SUITE
    VAR    ${RUN HOME}    ${OUTPUT DIR}${/}${suite}${/}home    scope=SUITE
    Remove Directory    ${CHECKOUT}    recursive=True
    Remove Directory    ${RUN HOME}    recursive=True
    Copy Directory    ${TESTDATA}${/}till    ${CHECKOUT}
    Create File    ${CHECKOUT}${/}.gitignore    __pycache__\n
    Run Git    init    -b    main
    Run Git    add    .
    Run Git    commit    -m    Open the shop

Change The Till
    [Arguments]    ${amount}
    ${code} =    Get File    ${CHECKOUT}${/}till.py
    ${changed} =    Evaluate    re.sub(r'IN_THE_TILL = \\d+', 'IN_THE_TILL = ${amount}', $code)    modules=re
    Create File    ${CHECKOUT}${/}till.py    ${changed}
    Run Git    commit    -a    -m    Put ${amount} into the till
    ${head} =    Run Git    rev-parse    HEAD
    VAR    ${CHANGE}    ${head.stdout}    scope=SUITE

Run Git
    [Arguments]    @{arguments}
    ${done} =    Run Process    @{GIT}    @{arguments}    cwd=${CHECKOUT}    stderr=STDOUT
    Should Be Equal As Integers    ${done.rc}    0    ${done.stdout}
    RETURN    ${done}

Run The Till
    [Documentation]    Return the run, which has to end with `code`. The backend reads code and commits where the tests come from.
    [Arguments]    ${name}    ${code}    &{options}
    ${run} =    Run Robot
    ...    ${name}
    ...    --report
    ...    NONE
    ...    --log
    ...    NONE
    ...    --pythonpath
    ...    ${CHECKOUT}
    ...    ${CHECKOUT}
    ...    DDN_SOURCE_ROOT=${CHECKOUT}
    ...    &{options}
    Return Code Should Be    ${run}    ${code}
    RETURN    ${run}

Only Card In
    [Arguments]    ${run}
    ${cards} =    Cards In    ${run.output}
    Length Should Be    ${cards}    1
    ${card} =    Evaluate    next(iter($cards.values()))
    RETURN    ${card}

Number Of Kept Runs Should Be
    [Arguments]    ${count}    ${folder}
    ${files} =    Evaluate    list(pathlib.Path($RUN_HOME, 'runs').glob($folder + '/*.json'))    modules=pathlib
    Length Should Be    ${files}    ${count}
