*** Settings ***
Documentation       `ddn analyze` on output files of runs without the listener, and what bad input gets.
Library             OperatingSystem
Library             Servers.py
Resource            atest.resource
Suite Setup         Run Without Listener
Suite Teardown      Run Keywords    End Programs    AND    End Servers


*** Test Cases ***
Analyze Writes Annotated Output, Log And Report
    ${before} =    Get Binary File    ${PLAIN.output}
    ${ddn} =    Analyze    xml    ${PLAIN.output}
    Every Failure Should Have One Card    ${ddn.folder / 'out' / 'output.xml'}
    Result Should Be Annotated    ${ddn.folder / 'out'}    21 failed tests
    Statuses Should Be Those Of    ${ddn.folder / 'out' / 'output.xml'}    ${PLAIN.output}
    Should Contain    ${ddn.stdout}    Failure analysis: 21 failed tests
    ${after} =    Get Binary File    ${PLAIN.output}
    Should Be True    $before == $after    The input was changed.

Analyze Uses The Execution Errors
    ${cards} =    Cards In    ${PLAIN.folder.parent}/xml/out/output.xml
    ${card} =    Set Variable    ${cards}[Library Is Missing]
    Should Be Equal    ${card.type}    DEPENDENCY_ERROR

Analyze Finds The Groups That The Listener Finds
    ${listened} =    Run Robot    listened    failures    DDN_REDIS_URL=${REDIS}
    ${listened} =    Cards In    ${listened.output}
    ${analyzed} =    Cards In    ${PLAIN.folder.parent}/xml/out/output.xml
    Should Be Equal    ${{ {n: c.role for n, c in $analyzed.items()} }}    ${{ {n: c.role for n, c in $listened.items()} }}

Analyze Reads JSON
    ${ddn} =    Analyze    from-json    ${JSON.folder}/output.json
    Result Should Be Annotated    ${ddn.folder / 'out'}    3 failed tests, 2 causes
    Every Failure Should Have One Card    ${ddn.folder / 'out' / 'output.xml'}

Analyze Combines Several
    ${ddn} =    Analyze    several    ${PLAIN.output}    ${JSON.folder}/output.json
    Result Should Be Annotated    ${ddn.folder / 'out'}    24 failed tests
    Every Failure Should Have One Card    ${ddn.folder / 'out' / 'output.xml'}

Analyze What Was Analysed Before
    ${ddn} =    Analyze    twice    ${PLAIN.folder.parent}/xml/out/output.xml
    Every Failure Should Have One Card    ${ddn.folder / 'out' / 'output.xml'}
    Statuses Should Be Those Of    ${ddn.folder / 'out' / 'output.xml'}    ${PLAIN.output}

Analyze With A Backend
    ${ddn} =    Analyze    backend    ${JSON.folder}/output.json    --redis    ${REDIS}    --project    shop
    ${cards} =    Cards In    ${ddn.folder / 'out' / 'output.xml'}
    FOR    ${name}    ${card}    IN    &{cards}
        Should Be Equal    ${card.stage}    final
        Should Be Equal    ${card.project}    shop
        Verdict Is There    ${card.id}
    END

Analyze Writes Into A Folder Of Its Own By Default
    ${ddn} =    Run Ddn    analyze    ${JSON.folder}/output.json    folder=${JSON.folder}
    Return Code Should Be    ${ddn}    0
    Result Should Be Annotated    ${JSON.folder / 'ddn-results'}    3 failed tests, 2 causes

Real Outputs Are All Analysed
    [Documentation]    The folder named by DDN_OUTPUTS: nothing fails, no status changes, every failed test is answered.
    ${folder} =    Get Environment Variable    DDN_OUTPUTS    ${EMPTY}
    IF    not $folder    Skip    DDN_OUTPUTS is not set.
    @{files} =    List Files In Directory    ${folder}    *.xml    absolute=True
    Should Not Be Empty    ${files}
    FOR    ${file}    IN    @{files}
        ${name} =    Evaluate    'real-' + pathlib.Path($file).stem    modules=pathlib
        Run Keyword And Continue On Failure    Real Output Is Analysed    ${name}    ${file}
    END

Bad Input Gets A Clear Message
    [Template]    Message Should Name
    # arguments    what the message must name
    ${{ ['analyze', 'missing.xml'] }}    missing.xml    no such file    expected an output.xml
    ${{ ['analyze', '.'] }}    '.'    directory    expected an output.xml
    ${{ ['analyze', 'truncated.xml'] }}    truncated.xml    expected an output.xml
    ${{ ['analyze', 'empty.xml'] }}    empty.xml    expected an output.xml
    ${{ ['analyze', 'text.xml'] }}    text.xml    expected an output.xml
    ${{ ['analyze', 'other.xml'] }}    other.xml    expected an output.xml
    ${{ ['analyze', 'truncated.json'] }}    truncated.json    expected an output.xml
    ${{ ['analyze', 'passing.xml'] }}    passing.xml    no test failed
    ${{ ['analyze', 'fine.xml', '--redis', 'http://host/0'] }}    --redis    http://host/0    redis://
    ${{ ['analyze', 'fine.xml', '--wait', '-1'] }}    --wait    -1    seconds, 0 or more
    ${{ ['analyze', 'fine.xml', '--wait', 'abc'] }}    --wait    abc
    ${{ ['analyze', 'fine.xml', '--wait', 'inf'] }}    --wait    inf    finite
    ${{ ['analyze', 'fine.xml', '--wait', 'nan'] }}    --wait    nan    finite
    ${{ ['analyze', 'fine.xml', '--colour', 'red'] }}    --colour
    ${{ ['analyze', 'fine.xml', '--outputdir', 'fine.xml'] }}    --outputdir    fine.xml    folder
    ${{ ['analyze'] }}    OUTPUT
    ${{ ['attach', 'missing.xml'] }}    missing.xml    no such file    expected an output.xml
    ${{ ['attach', '.'] }}    '.'    directory    expected an output.xml
    ${{ ['attach', 'truncated.xml'] }}    truncated.xml
    ${{ ['attach', 'fine.xml'] }}    fine.xml    no analysis    expected
    ${{ ['replay', 'missing'] }}    missing    expected
    ${{ ['replay', 'fine.xml'] }}    fine.xml    expected
    ${{ ['explode'] }}    explode
    ${{ ['--colour'] }}    --colour

Bad Environment Gets A Clear Message
    ${ddn} =    Run Ddn    analyze    fine.xml    folder=${BAD}    DDN_WAIT=soon
    Return Code Should Be    ${ddn}    2
    Should Contain    ${ddn.stderr}    DDN_WAIT
    Should Contain    ${ddn.stderr}    soon
    Should Not Contain    ${ddn.stderr}    Traceback

Bad Input Writes Nothing
    ${files} =    List Directory    ${BAD}
    Should Be Equal    ${files}    ${BAD FILES}

Unusable Redis URL Gets A Clear Message
    [Template]    Message Should Name
    ${{ ['analyze', 'fine.xml', '--redis', 'redis://host:port/0'] }}    redis://HOST:PORT
    ${{ ['analyze', 'fine.xml', '--redis', 'redis://host/zero'] }}    redis://HOST:PORT
    ${{ ['analyze', 'fine.xml', '--redis', 'redis://host/0?colour=red'] }}    redis://HOST:PORT    colour

Passwords Are Not In Messages
    ${ddn} =    Run Ddn    analyze    fine.xml    --redis    redis://me:open-sesame@host:port/0    folder=${BAD}
    Return Code Should Be    ${ddn}    2
    Should Not Contain    ${ddn.said}    open-sesame

Debug Shows The Traceback
    ${ddn} =    Run Ddn    --debug    analyze    truncated.xml    folder=${BAD}
    Return Code Should Be    ${ddn}    2
    Should Contain    ${ddn.stderr}    Traceback

Help And Version
    FOR    ${arguments}    IN    ${{ ['--help'] }}    ${{ ['analyze', '--help'] }}    ${{ ['attach', '--help'] }}
    ...    ${{ ['replay', '--help'] }}    ${{ ['--version'] }}
        ${ddn} =    Run Ddn    @{arguments}
        Return Code Should Be    ${ddn}    0
        Should Be Empty    ${ddn.stderr}
        Should Not Be Empty    ${ddn.stdout}
    END

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Run Without Listener
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    Start Worker
    ${run} =    Run Robot    plain    failures    listener=
    VAR    ${PLAIN}    ${run}    scope=SUITE
    ${run} =    Run Robot    json    --output    output.json    small.robot    listener=
    VAR    ${JSON}    ${run}    scope=SUITE
    ${run} =    Run Robot    passing    --test    Passes    small.robot    listener=
    VAR    ${BAD}    ${PLAIN.folder.parent / 'bad'}    scope=SUITE
    Create Directory    ${BAD}
    Copy File    ${PLAIN.output}    ${BAD}/fine.xml
    Copy File    ${run.output}    ${BAD}/passing.xml
    Create File    ${BAD}/empty.xml
    Create File    ${BAD}/text.xml    This is no output file.
    Create File    ${BAD}/other.xml    <?xml version="1.0"?>\n<testsuite name="x"><testcase name="y"/></testsuite>\n
    ${xml} =    Get File    ${PLAIN.output}
    Create File    ${BAD}/truncated.xml    ${{ $xml[:len($xml) // 2] }}
    ${json} =    Get File    ${JSON.folder}/output.json
    Create File    ${BAD}/truncated.json    ${{ $json[:len($json) // 2] }}
    ${files} =    List Directory    ${BAD}
    VAR    ${BAD FILES}    ${files}    scope=SUITE

Analyze
    [Arguments]    ${name}    @{arguments}
    ${folder} =    Set Variable    ${{ $PLAIN.folder.parent / $name }}
    Create Directory    ${folder}
    ${ddn} =    Run Ddn    analyze    --outputdir    out    @{arguments}    folder=${folder}
    Return Code Should Be    ${ddn}    0
    RETURN    ${ddn}

Result Should Be Annotated
    [Arguments]    ${folder}    ${summary}
    ${counted} =    Tag Statistics In    ${folder / 'output.xml'}
    ${expected} =    Expected Tag Statistics    ${folder / 'output.xml'}
    Should Be Equal    ${counted}    ${expected}
    ${cards} =    Cards In    ${folder / 'output.xml'}
    ${log} =    Open Page    ${folder / 'log.html'}
    ${shown} =    Shown Cards    ${log}
    ${report} =    Open Page    ${folder / 'report.html'}
    FOR    ${page}    IN    ${log}    ${report}
        ${statistics} =    Shown Tag Statistics    ${page}
        Should Be Equal    ${statistics}    ${expected}
        ${cell} =    Shown Row    ${page}    Failure analysis:
        ${text} =    Shown Text    ${cell}
        Should Start With    ${text}    ${summary}
    END
    Should Be Equal As Integers    ${{ len($shown) }}    ${{ len($cards) }}    Cards shown in the log

Statuses Should Be Those Of
    [Arguments]    ${found}    ${expected}
    ${found} =    Statuses In    ${found}
    ${expected} =    Statuses In    ${expected}
    Should Be Equal    ${found}    ${expected}

Real Output Is Analysed
    [Arguments]    ${name}    ${file}
    ${ddn} =    Analyze    ${name}    ${file}
    Statuses Should Be Those Of    ${ddn.folder / 'out' / 'output.xml'}    ${file}
    Every Failure Should Have An Answer    ${ddn.folder / 'out' / 'output.xml'}
    File Should Exist    ${ddn.folder / 'out' / 'log.html'}
    File Should Exist    ${ddn.folder / 'out' / 'report.html'}

Message Should Name
    [Arguments]    ${arguments}    @{names}
    ${ddn} =    Run Ddn    @{arguments}    folder=${BAD}
    Return Code Should Be    ${ddn}    2
    Should Not Contain    ${ddn.said}    Traceback
    Should Be Empty    ${ddn.stdout}
    ${line} =    Evaluate    [line for line in $ddn.stderr.splitlines() if line.strip()][-1]
    FOR    ${name}    IN    @{names}
        Should Contain    ${line}    ${name}    ignore_case=True
    END
