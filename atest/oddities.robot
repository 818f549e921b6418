*** Settings ***
Documentation       Whatever tests, libraries, options of Robot and of Python do, the run is the one that it would have been without
...                 the listener, and every failure is answered.
Library             OperatingSystem
Library             Faults.py
Resource            atest.resource
Suite Setup         Start Backend
Suite Teardown      Run Keywords    End Programs    AND    End Servers
Test Template       Should Be Alike


*** Variables ***
${LISTENER}         robot_ddn_listener;wait=20
@{QUICK}            --report    NONE    --log    NONE


*** Test Cases ***
Libraries That Do What They Must Not
    [Documentation]    They change locale and working folder, close stderr, write bytes that are no UTF-8, call themselves, fork,
    ...    leave threads behind; names have markup, messages NUL, and one test runs out of time.
    odd    faults/odd.robot

Libraries That Do What They Must Not Where Text Is ASCII
    odd-ascii    faults/odd.robot    PYTHONIOENCODING=latin-1    LC_ALL=C

Library Leaves Through sys.exit
    [Documentation]    Robot takes it for Ctrl-C: the run ends at once, and has no finished output file.
    exits    faults/exits.robot    cards=${FALSE}

Surrogate In A Message
    [Documentation]    Robot's own output file is no XML then; it stays as it is.
    surrogate    faults/surrogate.robot    cards=${FALSE}

Fatal Error
    fatal    faults/fatal.robot

Exit On Failure
    exit-on-failure    --exitonfailure    small.robot

Exit On Failure Without Teardowns
    exit-mode    --exitonfailure    --skipteardownonexit    failures

Skip On Failure
    skip    --skiponfailure    Book*    --skiponfailure    ddn:off    small.robot

No Test At All
    none    --runemptysuite    --include    nothing    faults/none.robot    cards=${FALSE}

Nothing To Run
    nothing    --include    nothing    faults/none.robot    cards=${FALSE}

Thousand Failing Tests
    [Template]    NONE
    ${suite} =    Write Many Tests    1000
    ${run} =    Should Be Alike    thousand    ${suite}
    ${cards} =    Cards In    ${run.output}
    Length Should Be    ${cards}    1000

Messages Of Fifty Megabytes
    big    faults/big.robot

Python Takes Warnings For Errors
    [Template]    Python Should Be Alike
    warnings    -W error

Python Optimises
    [Template]    Python Should Be Alike
    optimised    -OO

Python Writes No Byte Code, And Is Isolated From The User
    [Template]    Python Should Be Alike
    isolated    -B -s

Nobody Has A Home
    [Template]    NONE
    ${run} =    Run Robot As
    ...    env -u HOME -u DDN_HOME -u USER -u LOGNAME
    ...    ${EMPTY}
    ...    homeless
    ...    @{QUICK}
    ...    small.robot
    ...    listener=${LISTENER}
    ...    DDN_REDIS_URL=${REDIS}
    Should Be The Same Run    ${run}    ${SMALL}
    Every Failure Should Have One Card    ${run.output}
    Nothing Should Be Said Of A Problem    ${run}

Packages Cannot Be Written To
    [Template]    NONE
    ${path} =    Read Only Packages
    ${run} =    Run Robot Bound By Permissions
    ...    packages
    ...    @{QUICK}
    ...    small.robot
    ...    listener=${LISTENER}
    ...    DDN_REDIS_URL=${REDIS}
    ...    PYTHONPATH=${path}
    Should Be The Same Run    ${run}    ${SMALL}
    Every Failure Should Have One Card    ${run.output}
    Nothing Should Be Said Of A Problem    ${run}
    ${byte code} =    Evaluate    list(pathlib.Path($path.split(os.pathsep)[0]).rglob('__pycache__'))    modules=pathlib, os
    Should Be Empty    ${byte code}
    [Teardown]    Remove Packages

Ctrl-C Twice
    [Documentation]    Robot stops at once and writes neither log nor report.
    [Template]    NONE
    ${plain} =    Interrupt Twice    twice-plain    ${EMPTY}
    ${run} =    Interrupt Twice    twice    ${LISTENER}
    Should Be The Same Run    ${run}    ${plain}

No Process Is Left Behind
    [Template]    NONE
    No Process Should Be Left


*** Keywords ***
Start Backend
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    Start Worker
    ${run} =    Run Robot    small-plain    @{QUICK}    small.robot    listener=
    VAR    ${SMALL}    ${run}    scope=SUITE

Should Be Alike
    [Documentation]    Run it with and without the listener. With `cards` false there is nothing that could have one.
    [Arguments]    ${name}    @{arguments}    ${cards}=${TRUE}    &{environment}
    ${plain} =    Run Robot    ${name}-plain    @{QUICK}    @{arguments}    &{environment}    listener=
    ${run} =    Run Robot
    ...    ${name}
    ...    @{QUICK}
    ...    @{arguments}
    ...    &{environment}
    ...    listener=${LISTENER}
    ...    DDN_REDIS_URL=${REDIS}
    Should Be The Same Run    ${run}    ${plain}
    IF    ${cards}
        Every Failure Should Be Answered    ${run}
        Nothing Should Be Said Of A Problem    ${run}
    END
    RETURN    ${run}

Every Failure Should Be Answered
    [Arguments]    ${run}
    Every Report Should Be Somewhere    ${run}    answered    kept
    Every Failure But Those Opted Out Should Have An Answer    ${run.output}

Python Should Be Alike
    [Arguments]    ${name}    ${options}
    ${plain} =    Run Robot As    ${EMPTY}    ${options}    ${name}-plain    @{QUICK}    small.robot    listener=
    ${run} =    Run Robot As
    ...    ${EMPTY}
    ...    ${options}
    ...    ${name}
    ...    @{QUICK}
    ...    small.robot
    ...    listener=${LISTENER}
    ...    DDN_REDIS_URL=${REDIS}
    Should Be The Same Run    ${run}    ${plain}
    Every Failure Should Have One Card    ${run.output}
    # Without byte code of that kind Celery takes longer to be compiled than a run may wait for it.
    Every Report Should Be Somewhere    ${run}    answered    spooled
    Nothing Should Be Said Of A Problem    ${run}

Interrupt Twice
    [Arguments]    ${name}    ${listener}
    ${run} =    Start Robot    ${name}    @{QUICK}    faults/stubborn.robot    listener=${listener}    DDN_REDIS_URL=${REDIS}
    Wait Until File Exists    ${run.folder / 'started.txt'}    ${run}
    Send Signal    ${run}    SIGINT
    Wait Until File Exists    ${run.folder / 'ending.txt'}    ${run}
    Send Signal    ${run}    SIGINT
    ${run} =    Wait Until Ended    ${run}
    RETURN    ${run}
