*** Settings ***
Documentation       Robot's options and ours: what is written where, and that nothing is done where nothing is to be done.
Library             Collections
Library             OperatingSystem
Library             Servers.py
Resource            atest.resource
Suite Setup         Start Backend
Suite Teardown      Run Keywords    End Programs    AND    End Servers


*** Test Cases ***
Dry Run Does Nothing
    ${run} =    Run    dry-run    --dryrun    --settag    dry    failures
    ${cards} =    Cards In    ${run.output}
    Should Be Empty    ${cards}
    Should Not Contain    ${run.stdout}    Failure analysis
    Nothing Should Be Said Of A Problem    ${run}

Passing Run Does Nothing
    ${run} =    Run    passing    --test    Passes    small.robot
    Return Code Should Be    ${run}    0
    Should Not Contain    ${run.stdout}    Failure analysis
    File Should Not Contain    ${run.output}    ddn

Output NONE Still Says It On The Console
    ${run} =    Run    no-output    --output    NONE    small.robot
    Return Code Should Be    ${run}    4
    File Should Not Exist    ${run.output}
    Should Contain    ${run.stdout}    Failure analysis: 3 failed tests, 2 causes
    Nothing Should Be Said Of A Problem    ${run}

Log NONE Has Tags And Summary In The Report
    [Documentation]    Robot then makes the report of the result in memory, not of output.xml.
    ${run} =    Run    no-log    --log    NONE    --report    r.html    small.robot
    File Should Not Exist    ${run.log}
    Report Should Be Annotated    ${run.folder / 'r.html'}
    Output Should Be Annotated    ${run.output}

Output And Log NONE Have Tags And Summary In The Report
    ${run} =    Run    only-report    --output    NONE    --log    NONE    --report    r.html    small.robot
    ${exists} =    Evaluate    ($run.folder / 'r.html').exists()
    IF    not ${exists}    Skip    This Robot Framework makes no report without an output file.
    Report Should Be Annotated    ${run.folder / 'r.html'}

JSON Output Is Told By Content
    ${run} =    Run    json    --output    output.json    small.robot
    ${output} =    Set Variable    ${run.folder / 'output.json'}
    Every Failure Should Have One Card    ${output}
    ${tags} =    Analysis Tags In    ${output}
    Should Be Equal    ${tags}[Books A Room]    ddn:test_error
    ${metadata} =    Suite Metadata In    ${output}
    Should Contain    ${metadata}[Failure analysis]    3 failed tests, 2 causes
    Log Should Be Annotated    ${run.log}
    Report Should Be Annotated    ${run.report}

Splitlog Shows Cards
    ${run} =    Run    splitlog    --splitlog    small.robot
    File Should Exist    ${run.folder / 'log-1.js'}
    ${page} =    Open Page    ${run.log}    s1-t2
    ${part} =    Part Of Page    ${page}    s1-t2
    ${cards} =    Shown Cards    ${part}
    Length Should Be    ${cards}    1
    Report Should Be Annotated    ${run.report}

Legacy Output Has Cards
    ${run} =    Run    legacy    --legacyoutput    small.robot
    Output Should Be Annotated    ${run.output}
    Log Should Be Annotated    ${run.log}

Flattened Keywords Leave The Cards
    ${run} =    Run    flatten    --flattenkeywords    name:Reserve    --flattenkeywords    for    small.robot
    Output Should Be Annotated    ${run.output}
    Log Should Be Annotated    ${run.log}

Removed Keywords Leave Output, Tags, Summary And Metadata
    [Documentation]    With ALL Robot takes all messages out of the log; what is above them stays.
    [Template]    Run With Removed Keywords
    ALL    cards=0
    PASSED      cards=3
    \FOR    cards=3
    WUKS        cards=3
    NAME:Reserve    cards=3
    TAG:none    cards=3

Tasks Are Called Tasks
    ${run} =    Run    rpa    --rpa    small.robot
    ${metadata} =    Suite Metadata In    ${run.output}
    Should Contain    ${metadata}[Failure analysis]    3 failed tasks, 2 causes
    Should Not Contain    ${metadata}[Failure analysis]    test
    Should Contain    ${run.stdout}    Failure analysis: 3 failed tasks
    Every Failure Should Have One Card    ${run.output}

Several Top Suites
    ${run} =    Run    several    small.robot    parallel/one.robot    parallel/six.robot
    Every Failure Should Have One Card    ${run.output}
    ${metadata} =    Suite Metadata In    ${run.output}
    Should Contain    ${metadata}[Failure analysis]    6 failed tests
    ${page} =    Open Page    ${run.log}
    ${rows} =    Shown Rows    ${page}    Failure analysis:
    Length Should Be    ${rows}    1

Attach Report Leaves The Output As Robot Wrote It
    ${run} =    Run    attach-report    small.robot    listener=robot_ddn_listener;attach=report
    ${found} =    Without Times    ${run.output}
    ${expected} =    Without Times    ${PLAIN.output}
    Should Be Equal As Strings    ${found}    ${expected}
    Log Should Be Annotated    ${run.log}
    Report Should Be Annotated    ${run.report}
    ${files} =    List Directory    ${run.folder}
    Should Be Equal    ${files}    ${{ ['log.html', 'output.xml', 'report.html'] }}

Attach Off Is Console Only
    ${run} =    Run    attach-off    small.robot    listener=robot_ddn_listener;attach=off
    ${found} =    Without Times    ${run.output}
    ${expected} =    Without Times    ${PLAIN.output}
    Should Be Equal As Strings    ${found}    ${expected}
    File Should Not Contain    ${run.log}    data-ddn
    Should Contain    ${run.stdout}    Failure analysis: 3 failed tests, 2 causes

Tags Off
    ${run} =    Run    tags-off    small.robot    listener=robot_ddn_listener;tags=off
    ${tags} =    Analysis Tags In    ${run.output}
    Should Be Empty    ${tags}
    ${counted} =    Tag Statistics In    ${run.output}
    Should Be Empty    ${counted}
    Every Failure Should Have One Card    ${run.output}

Metadata Off
    [Documentation]    It is the metadata of tests that is switched off; the suite's summary stays.
    ${run} =    Run    metadata-off    small.robot    listener=robot_ddn_listener;metadata=off
    ${metadata} =    Test Metadata In    ${run.output}
    Should Be Empty    ${metadata}
    Every Failure Should Have One Card    ${run.output}

Settings Come From The Environment, Arguments Win
    ${run} =    Run
    ...    environment
    ...    small.robot
    ...    listener=robot_ddn_listener;project=from-argument
    ...    DDN_PROJECT=from-environment
    ...    DDN_TAGS=off
    ${tags} =    Analysis Tags In    ${run.output}
    Should Be Empty    ${tags}
    ${cards} =    Cards In    ${run.output}
    FOR    ${name}    ${card}    IN    &{cards}
        Should Be Equal    ${card.project}    from-argument
    END

Run Id Makes Report Ids Repeatable
    ${first} =    Run    run-id-1    small.robot    listener=robot_ddn_listener;run=nightly-7
    ${second} =    Run    run-id-2    small.robot    listener=robot_ddn_listener;run=nightly-7
    ${other} =    Run    run-id-3    small.robot
    ${first} =    Cards In    ${first.output}
    ${second} =    Cards In    ${second.output}
    ${other} =    Cards In    ${other.output}
    Should Be Equal    ${{ $first['Books A Room'].id }}    ${{ $second['Books A Room'].id }}
    Should Not Be Equal    ${{ $first['Books A Room'].id }}    ${{ $other['Books A Room'].id }}

Flower URL Is A Link
    ${run} =    Run    flower    small.robot    DDN_FLOWER_URL=http://127.0.0.1:5555
    ${page} =    Open Page    ${run.log}
    ${cards} =    Shown Cards    ${page}
    ${links} =    Evaluate    [a.get('href') for a in $cards[0].iter('a')]
    Should Contain    ${links}    http://127.0.0.1:5555/task/${cards[0].get('data-ddn')}

Switched Off By The Environment
    ${run} =    Run    off    small.robot    DDN_OFF=1
    ${found} =    Without Times    ${run.output}
    ${expected} =    Without Times    ${PLAIN.output}
    Should Be Equal As Strings    ${found}    ${expected}
    Should Not Contain    ${run.stdout}    Failure analysis

Tests That Did Not Run Name The Trigger
    ${run} =    Run    exit-on-failure    --exitonfailure    small.robot
    ${cards} =    Cards In    ${run.output}
    Every Failure Should Have One Card    ${run.output}
    FOR    ${name}    IN    Books Another Room    Reads The Plan
        ${card} =    Set Variable    ${cards}[${name}]
        Should Contain    ${card.text}    NOT ANALYSED
        Should Contain    ${card.text}    did not run
        Should Contain    ${card.text}    Small.Books A Room
    END
    ${tags} =    Analysis Tags In    ${run.output}
    Should Be Equal    ${tags}    ${{ {'Books A Room': 'ddn:test_error'} }}

Tags Select Tests
    [Documentation]    In upper case Robot would read the OR in ERROR as an operator.
    ${run} =    Run Rebot    select    --output    output.xml    --include    ddn:test_error    ${ANNOTATED.output}
    ${found} =    Statuses In    ${run.output}
    Length Should Be    ${found}    3
    Output Should Be Annotated    ${run.output}

Rebot Keeps The Cards
    ${run} =    Run Rebot    rebot    --output    output.xml    ${ANNOTATED.output}
    Return Code Should Be    ${run}    4
    Output Should Be Annotated    ${run.output}
    Log Should Be Annotated    ${run.log}
    Report Should Be Annotated    ${run.report}

Rebot Analyses With The Modifier
    [Documentation]    An output file of a run without the listener.
    ${run} =    Run Rebot
    ...    modifier
    ...    --prerebotmodifier
    ...    robot_ddn_listener.Attach
    ...    ${PLAIN.output}
    ...    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${run}    4
    Log Should Be Annotated    ${run.log}
    Report Should Be Annotated    ${run.report}
    Should Contain    ${run.stdout}    Failure analysis: 3 failed tests, 2 causes

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Start Backend
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    Start Worker
    ${run} =    Run Robot    plain    small.robot    listener=
    VAR    ${PLAIN}    ${run}    scope=SUITE
    ${run} =    Run    annotated    small.robot
    VAR    ${ANNOTATED}    ${run}    scope=SUITE
    ${has} =    Evaluate    hasattr(robot.result.TestCase(), 'metadata')    modules=robot.result
    VAR    ${HAS TEST METADATA}    ${has}    scope=SUITE

Run
    [Arguments]    ${name}    @{arguments}    &{others}
    ${run} =    Run Robot    ${name}    @{arguments}    DDN_REDIS_URL=${REDIS}    &{others}
    RETURN    ${run}

Run With Removed Keywords
    [Arguments]    ${what}    ${cards}
    ${name} =    Evaluate    $what.replace(':', '-').lower()
    ${run} =    Run    remove-${name}    --removekeywords    ${what}    small.robot
    Output Should Be Annotated    ${run.output}
    Report Should Be Annotated    ${run.report}
    ${page} =    Open Page    ${run.log}
    ${shown} =    Shown Cards    ${page}
    Length Should Be    ${shown}    ${cards}    Cards in the log after --removekeywords ${what}
    ${statistics} =    Shown Tag Statistics    ${page}
    Should Be Equal    ${statistics}    ${{ {'ddn:test_error': '0/3/0'} }}
    ${rows} =    Shown Rows    ${page}    Root cause:
    Length Should Be    ${rows}    ${{ 3 if $HAS_TEST_METADATA else 0 }}

Output Should Be Annotated
    [Arguments]    ${output}
    Every Failure Should Have One Card    ${output}
    ${statistics} =    Tag Statistics In    ${output}
    Should Be Equal    ${statistics}    ${{ {'ddn:test_error': '0/3/0'} }}
    ${metadata} =    Suite Metadata In    ${output}
    Should Contain    ${metadata}[Failure analysis]    3 failed tests, 2 causes

Log Should Be Annotated
    [Arguments]    ${log}
    ${page} =    Open Page    ${log}
    ${groups} =    Shown Groups    ${page}
    Should Be Equal    ${{ sorted(map(len, $groups.values())) }}    ${{ [1, 2] }}
    ${cell} =    Shown Row    ${page}    Failure analysis:
    ${text} =    Shown Text    ${cell}
    Should Start With    ${text}    3 failed tests, 2 causes

Report Should Be Annotated
    [Arguments]    ${report}
    ${page} =    Open Page    ${report}    totals?all
    ${statistics} =    Shown Tag Statistics    ${page}
    Should Be Equal    ${statistics}    ${{ {'ddn:test_error': '0/3/0'} }}
    ${cell} =    Shown Row    ${page}    Failure analysis:
    ${text} =    Shown Text    ${cell}
    Should Start With    ${text}    3 failed tests, 2 causes
    IF    $HAS_TEST_METADATA
        ${metadata} =    Shown Test Columns    ${page}    Metadata
        Should Contain    ${metadata}[Books A Room]    Root cause
    END

File Should Not Contain
    [Arguments]    ${path}    ${text}
    ${content} =    Get File    ${path}
    Should Not Contain    ${content}    ${text}    '${path}' contains '${text}'.    values=False
