*** Settings ***
Documentation       One run with a failure at every place where a test can fail, read from its files and from the rendered pages.
Resource            atest.resource
Suite Setup         Run Failures
Suite Teardown      End Programs


*** Variables ***
@{NOT TESTS}        Suite Setup setup    Suite Teardown teardown    Folder setup    Is Skipped On Failure


*** Test Cases ***
Every Failure Has One Card
    ${failed} =    Failed Tests In    ${RUN.output}
    ${analysed} =    Evaluate    sorted({*$failed, *$NOT_TESTS} - {'Opted Out'})
    ${found} =    Evaluate    sorted($CARDS)
    Should Be Equal    ${found}    ${analysed}

Card Is The First Thing In Its Test
    FOR    ${name}    ${card}    IN    &{CARDS}
        Should Be Equal As Integers    ${card.index}    0    Card of '${name}' is not at the top.
    END

Failures Have A Card Of Their Own
    [Template]    Card Should Be Full
    Fails
    Setup Fails
    Teardown Fails
    Test And Teardown Fail
    Template Fails
    Fails In A For Loop
    Fails In A While Loop
    Fails In An If Branch
    Fails After An Expected Error
    Fails In A Group
    Fails In A User Keyword
    Keyword Is Missing
    Variable Is Missing
    Is Skipped On Failure
    Suite Setup setup
    Suite Teardown teardown
    Fails Before Its Suite's Teardown
    Folder setup
    Library Is Missing

Equal Failures Are One Group
    Card Should Be Member    Fails Again    Fails

Suite's Setup Answers For Its Tests
    Card Should Be Member    First Without Its Suite's Setup    Suite Setup setup
    Card Should Be Member    Second Without Its Suite's Setup    Suite Setup setup
    Card Should Be Member    Deep Without Its Folder's Setup    Folder setup
    Should Contain    ${{ $CARDS['Suite Setup setup'].text }}    First Without Its Suite's Setup

Suite's Teardown Answers For Tests That Failed By It Alone
    Card Should Be Member    Passes Before Its Suite's Teardown    Suite Teardown teardown

Opted Out And Skipped Tests Have No Answer
    Should Not Contain    ${CARDS}    Opted Out
    Should Not Contain    ${CARDS}    Is Skipped
    Should Not Contain    ${CARDS}    Passes

Answers Are Final And Come From The Embedded Runtime
    FOR    ${name}    ${card}    IN    &{CARDS}
        Should Be Equal    ${card.stage}    final    Card of '${name}'
    END
    ${runtimes} =    Evaluate    list(pathlib.Path($RUN.folder).parent.glob('home/*/runtime.log'))    modules=pathlib
    Length Should Be    ${runtimes}    1

Causes Are Told From The Right Part
    [Documentation]    The rule of each card is that of the failing part, not of what stands around it.
    [Template]    Card Should Say
    Setup Fails    INFRA_ERROR    refused
    Keyword Is Missing    TEST_ERROR    No Such Keyword
    Variable Is Missing    TEST_ERROR    NO SUCH VARIABLE
    Library Is Missing    DEPENDENCY_ERROR    NoSuchLibraryAnywhere
    Suite Setup setup    INFRA_ERROR    refused

Quoted Evidence Stands In The Test's Own Log
    [Documentation]    Or in the code that raised, which the listener reads while the test runs.
    ${quotes} =    Set Variable    ${0}
    FOR    ${name}    ${card}    IN    &{CARDS}
        IF    $name in $NOT_TESTS    CONTINUE
        ${foreign} =    Quotes From Elsewhere
        ...    ${RUN.output}
        ...    ${name}
        ...    ${card}
        ...    ${TESTDATA}/failures/Product.py
        ...    ${{ socket.__file__ }}
        Should Be Empty    ${foreign}    '${name}' quotes what is not in its log: ${foreign}
        ${quotes} =    Evaluate    $quotes + len($card.quotes)
    END
    Should Be True    ${quotes} > 5

Each Analysed Test Has One Tag And The Statistics Count It
    ${tags} =    Analysis Tags In    ${RUN.output}
    FOR    ${name}    ${card}    IN    &{CARDS}
        IF    not $name.endswith((' setup', ' teardown'))
            Should Be Equal    ${tags}[${name}]    ddn:${card.type.lower()}
        END
    END
    ${counted} =    Tag Statistics In    ${RUN.output}
    ${expected} =    Expected Tag Statistics    ${RUN.output}
    Should Be Equal    ${counted}    ${expected}
    Should Not Be Empty    ${counted}

Top Suite Has The Summary
    ${metadata} =    Suite Metadata In    ${RUN.output}
    ${failed} =    Failed Tests In    ${RUN.output}
    Should Contain    ${metadata}[Failure analysis]    failed tests
    Should Contain    ${metadata}[Failure analysis]    first in Failures.Tests.Fails)

Tests Have Metadata Where Robot Can Read It
    [Documentation]    Robot Framework before 7.5 does not load an output file with metadata in a test.
    ${found} =    Test Metadata In    ${RUN.output}
    IF    $HAS_TEST_METADATA
        Should Contain    ${found}[Setup Fails]    INFRA_ERROR
        Should Not Contain    ${found}    Passes
    ELSE
        Should Be Empty    ${found}
    END

Failure Messages Are Untouched
    ${found} =    Statuses In    ${RUN.output}
    ${expected} =    Statuses In    ${PLAIN.output}
    Should Be Equal    ${found}    ${expected}

Xunit Has The Messages As They Are
    ${found} =    Xunit Failures In    ${RUN.folder}/xunit.xml
    ${expected} =    Xunit Failures In    ${PLAIN.folder}/xunit.xml
    Should Be Equal    ${found}    ${expected}
    Should Contain    ${found}[Fails]    KeyError
    Should Not Contain Any    ${found}[Fails]    ddn    div

Groups Are On The Console In 78 Columns
    ${lines} =    Evaluate    $RUN.stdout[$RUN.stdout.index('Failure analysis:'):$RUN.stdout.index('Output: ')].splitlines()
    FOR    ${line}    IN    @{lines}
        Should Be True    len($line) <= 78    Too wide: ${line}
    END
    Nothing Should Be Said Of A Problem    ${RUN}

Log Shows The Cards
    ${page} =    Open Page    ${RUN.log}
    ${tests} =    Ids Of Failed Tests
    FOR    ${name}    ${identity}    IN    &{tests}
        IF    $name == 'Opted Out'    CONTINUE
        ${part} =    Part Of Page    ${page}    ${identity}
        ${shown} =    Shown Cards    ${part}
        Length Should Be    ${shown}    1    Cards shown in '${name}'
        ${text} =    Shown Text    ${shown}[0]
        Should Contain    ${text}    ${{ $CARDS[$name].type }}
        Should Contain    ${text}    ${{ $CARDS[$name].cause }}
    END

Log Shows The Cards Of Suites
    ${page} =    Open Page    ${RUN.log}
    FOR    ${identity}    ${name}    IN    s1-s2-k1    Suite Setup setup    s1-s3-k1    Suite Teardown teardown
    ...    s1-s4-k1    Folder setup
        ${part} =    Part Of Page    ${page}    ${identity}
        ${text} =    Shown Text    ${part}
        Should Contain    ${text}    ${{ $CARDS[$name].cause }}
    END

Log Shows The Card Of A Skipped Test
    [Documentation]    It is folded until it is opened, as by a link to it.
    ${page} =    Open Page    ${RUN.log}    s1-s1-t17
    ${part} =    Part Of Page    ${page}    s1-s1-t17
    ${text} =    Shown Text    ${part}
    Should Contain    ${text}    Is Skipped On Failure
    Should Contain    ${text}    ${{ $CARDS['Is Skipped On Failure'].cause }}

Log And Report Show Statistics By Cause
    ${expected} =    Expected Tag Statistics    ${RUN.output}
    @{pages} =    Log And Report Of    ${RUN}
    FOR    ${page}    IN    @{pages}
        ${shown} =    Shown Tag Statistics    ${page}
        Should Be Equal    ${shown}    ${expected}
    END

Log And Report Show The Summary
    ${metadata} =    Suite Metadata In    ${RUN.output}
    ${first line} =    Evaluate    $metadata['Failure analysis'].splitlines()[0]
    @{pages} =    Log And Report Of    ${RUN}
    FOR    ${page}    IN    @{pages}
        ${cell} =    Shown Row    ${page}    Failure analysis:
        ${text} =    Shown Text    ${cell}
        Should Start With    ${text}    ${first line}
        Should Contain    ${text}    first in Failures.Tests.Fails)
    END

Report Shows The Cause Of Each Test
    IF    not $HAS_TEST_METADATA    Skip    Robot Framework ${ROBOT VERSION} has no metadata of tests.
    ${page} =    Open Page    ${RUN.report}    totals?all
    ${shown} =    Shown Test Columns    ${page}    Metadata
    Should Contain    ${shown}[Setup Fails]    Root cause
    Should Contain    ${shown}[Setup Fails]    INFRA_ERROR

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Run Failures
    ${run} =    Run Robot    listened    --xunit    xunit.xml    --skiponfailure    unstable    failures
    VAR    ${RUN}    ${run}    scope=SUITE
    ${without} =    Run Robot    plain    --xunit    xunit.xml    --skiponfailure    unstable    failures    listener=
    VAR    ${PLAIN}    ${without}    scope=SUITE
    Return Code Should Be    ${RUN}    ${PLAIN.code}
    ${cards} =    Cards In    ${RUN.output}
    VAR    &{CARDS}    &{cards}    scope=SUITE
    ${version} =    Evaluate    robot.version.VERSION    modules=robot.version
    VAR    ${ROBOT VERSION}    ${version}    scope=SUITE
    ${has} =    Evaluate    hasattr(robot.result.TestCase(), 'metadata')    modules=robot.result
    VAR    ${HAS TEST METADATA}    ${has}    scope=SUITE

Card Should Be Full
    [Arguments]    ${name}
    Should Be Equal    ${{ $CARDS[$name].role }}    full
    Should Contain    ${{ $CARDS[$name].text }}    ${{ $CARDS[$name].id }}

Card Should Be Member
    [Arguments]    ${name}    ${first}
    Should Be Equal    ${{ $CARDS[$name].role }}    member
    Should Be Equal    ${{ $CARDS[$name].id }}    ${{ $CARDS[$first].id }}
    Should Contain    ${{ $CARDS[$name].text }}    ${{ $CARDS[$first].name }}
    Should Be Empty    ${{ $CARDS[$name].quotes }}

Card Should Say
    [Arguments]    ${name}    ${type}    @{texts}
    Should Be Equal    ${{ $CARDS[$name].type }}    ${type}
    FOR    ${text}    IN    @{texts}
        Should Contain    ${{ $CARDS[$name].text }}    ${text}    ignore_case=True
    END

Ids Of Failed Tests
    ${tests} =    Evaluate
    ...    {t.name: t.id for t in robot.api.ExecutionResult(str($RUN.output)).suite.all_tests if t.failed}
    ...    modules=robot.api
    RETURN    ${tests}
