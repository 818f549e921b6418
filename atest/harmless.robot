*** Settings ***
Documentation       The listener changes nothing but what it inserts, whatever state its Redis is in: the same suites with and without it.
Library             Collections
Library             OperatingSystem
Library             Servers.py
Resource            atest.resource
Suite Setup         Run Without Listener
Suite Teardown      Run Keywords    End Programs    AND    End Servers
Test Template       Everything Else Should Be Equal


*** Test Cases ***
Embedded Runtime
    embedded

Embedded Runtime With Exit On Error
    embedded-exit    --exitonerror

Redis Refuses
    refused    DDN_REDIS_URL=${UNUSED}

Redis Refuses With Exit On Error
    refused-exit    --exitonerror    DDN_REDIS_URL=${UNUSED}

Redis And Worker Are Up
    up    DDN_REDIS_URL=${REDIS}

Redis And Worker Are Up With Exit On Error
    up-exit    --exitonerror    DDN_REDIS_URL=${REDIS}

Redis Hangs
    [Setup]    Freeze Redis
    hung    DDN_REDIS_URL=${REDIS}
    [Teardown]    Thaw Redis

Redis Hangs With Exit On Error
    [Setup]    Freeze Redis
    hung-exit    --exitonerror    DDN_REDIS_URL=${REDIS}
    [Teardown]    Thaw Redis

Wrong Arguments Are One Warning Each
    [Documentation]    The warnings are all that there is more; the defaults go on.
    [Template]    NONE
    ${run} =    Run Robot
    ...    arguments
    ...    --exitonerror
    ...    --skiponfailure
    ...    unstable
    ...    failures
    ...    listener=robot_ddn_listener;loose;wait=soon;attach=maybe;colour=red;redis=http://nowhere
    Return Code Should Be    ${run}    ${PLAIN EXIT.code}
    ${found} =    Statuses In    ${run.output}
    ${expected} =    Statuses In    ${PLAIN EXIT.output}
    Should Be Equal    ${found}    ${expected}
    ${warnings} =    Evaluate    [line for line in $run.stderr.splitlines() if line.startswith('[ WARN ]')]
    Length Should Be    ${warnings}    5
    FOR    ${named}    IN    'wait' * 'soon'    'attach' * 'maybe'    'colour\=red'    'loose'    'redis' * 'http://nowhere'
        ${times} =    Get Match Count    ${warnings}    *${named}*
        Should Be Equal As Integers    ${times}    1    '${named}' in ${warnings}
    END
    ${cards} =    Cards In    ${run.output}
    Should Not Be Empty    ${cards}

Unusable Redis URL Is One Warning
    [Documentation]    Its scheme is right, but nothing can be reached by it; the default goes on.
    [Template]    NONE
    ${run} =    Run Failures    bad-url    listener=robot_ddn_listener;redis=redis://host:port/0
    Return Code Should Be    ${run}    ${PLAIN.code}
    ${warnings} =    Evaluate    [line for line in $run.stderr.splitlines() if line.startswith('[ WARN ]')]
    Length Should Be    ${warnings}    1
    Should Contain    ${warnings}[0]    'redis'
    Directory Should Not Exist    ${run.folder}/ddn-spool

Tests That Did Not Run After An Error Name It
    [Template]    NONE
    ${run} =    Run Failures    exit    --exitonerror    DDN_REDIS_URL=${REDIS}
    ${cards} =    Cards In    ${run.output}
    Should Contain    ${{ $cards['Passes At The End'].text }}    NoSuchLibraryAnywhere

No Process Is Left Behind
    [Template]    NONE
    No Process Should Be Left


*** Keywords ***
Run Without Listener
    ${url} =    Unused Redis Url
    VAR    ${UNUSED}    ${url}    scope=SUITE
    ${url} =    Unused Redis Url
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    Start Worker
    ${run} =    Run Failures    plain    listener=
    VAR    ${PLAIN}    ${run}    scope=SUITE
    ${run} =    Run Failures    plain-exit    --exitonerror    listener=
    VAR    ${PLAIN EXIT}    ${run}    scope=SUITE
    Should Not Be Equal    ${PLAIN.code}    ${PLAIN EXIT.code}

Run Failures
    [Arguments]    ${name}    @{options}    &{environment}
    ${run} =    Run Robot
    ...    ${name}
    ...    --xunit
    ...    xunit.xml
    ...    --report
    ...    NONE
    ...    --log
    ...    NONE
    ...    --skiponfailure
    ...    unstable
    ...    @{options}
    ...    failures
    ...    &{environment}
    RETURN    ${run}

Everything Else Should Be Equal
    [Arguments]    ${name}    @{options}    &{environment}
    ${run} =    Run Failures    ${name}    @{options}    &{environment}
    ${reference} =    Set Variable If    '--exitonerror' in $options    ${PLAIN EXIT}    ${PLAIN}
    Return Code Should Be    ${run}    ${reference.code}
    ${found} =    Statuses In    ${run.output}
    ${expected} =    Statuses In    ${reference.output}
    Should Be Equal    ${found}    ${expected}
    ${found} =    Without Times And Analysis    ${run.output}
    ${expected} =    Without Times    ${reference.output}
    Should Be Equal As Strings    ${found}    ${expected}
    ${found} =    Xunit Failures In    ${run.folder}/xunit.xml
    ${expected} =    Xunit Failures In    ${reference.folder}/xunit.xml
    Should Be Equal    ${found}    ${expected}
    ${found} =    Console Without Analysis    ${run.stdout}    ${run.folder}
    ${expected} =    Console Without Analysis    ${reference.stdout}    ${reference.folder}
    Should Be Equal    ${found}    ${expected}
    Should Be Equal    ${run.stderr}    ${reference.stderr}
    ${cards} =    Cards In    ${run.output}
    Should Not Be Empty    ${cards}
