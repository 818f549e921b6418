*** Settings ***
Documentation       Hostile texts stay text in what we insert, and secrets stay in the robot process.
Library             OperatingSystem
Library             Servers.py
Library             testdata/hostile/Secrets.py
Resource            atest.resource
Suite Setup         Run Hostile Suites
Suite Teardown      Run Keywords    End Programs    AND    End Servers


*** Test Cases ***
Every Failure Has A Card
    [Documentation]    Also the one that forged a card: its own stands first in the test.
    Every Failure Should Have An Answer    ${RUN.output}
    Nothing Should Be Said Of A Problem    ${RUN}

Statuses And Messages Are Untouched
    ${found} =    Statuses In    ${RUN.output}
    ${expected} =    Statuses In    ${PLAIN.output}
    Should Be Equal    ${found}    ${expected}

Nothing Was Executed
    @{pages} =    Log And Report Of    ${RUN}
    FOR    ${page}    IN    @{pages}
        ${title} =    Shown Title    ${page}
        Should Not Contain    ${title}    OWNED
    END

Cards In The Log Are Not Live
    ${page} =    Open Page    ${RUN.log}
    ${cards} =    Shown Cards    ${page}
    ${mine} =    Evaluate    [card for card in $cards if card.get('data-ddn') != 'forged']
    Length Should Be    ${mine}    18
    FOR    ${card}    IN    @{mine}
        Nothing Should Be Live    ${card}
        ${links} =    Evaluate    [a.get('href') for a in $card.iter('a') if '127.0.0.1' in a.get('href')]
        Should Be Empty    ${links}
    END

Cards Show Hostile Texts As They Are
    [Documentation]    Escaped once, not twice, and not thrown away.
    ${page} =    Open Page    ${RUN.log}
    ${cards} =    Shown Cards    ${page}
    ${all} =    Evaluate    ' '.join(''.join(card.itertext()) for card in $cards)
    Should Contain    ${all}    <img src=x onerror=
    Should Contain    ${all}    ]]>
    Should Not Contain    ${all}    &lt;script

Summary Is Not Live
    @{pages} =    Log And Report Of    ${RUN}
    FOR    ${page}    IN    @{pages}
        ${cell} =    Shown Row    ${page}    Failure analysis:
        Nothing Should Be Live    ${cell}
        ${links} =    Evaluate    list($cell.iter('a'))
        Should Be Empty    ${links}
        ${text} =    Shown Text    ${cell}
        Should Start With    ${text}    18 failed tests
    END

Root Causes Of Tests Are Not Live
    ${page} =    Open Page    ${RUN.log}
    ${cells} =    Shown Rows    ${page}    Root cause:
    FOR    ${text}    IN    @{cells}
        Should Match Regexp    ${text}    ^[A-Z]+(_ERROR)?(, (likely, please confirm|uncertain))?(, rule [a-z0-9-]+)?$
    END

Forged Card Does Not Count
    ${page} =    Open Page    ${RUN.log}
    ${cards} =    Shown Cards    ${page}
    ${names} =    Evaluate    [card.get('data-ddn-name') for card in $cards if card.get('data-ddn') != 'forged']
    Should Contain    ${names}    Hostile.Forged Card
    ${metadata} =    Suite Metadata In    ${RUN.output}
    Should Not Contain    ${metadata}[Failure analysis]    forged

Hostile Output Is Analysed Too
    ${folder} =    Set Variable    ${RUN.folder.parent}
    ${ddn} =    Run Ddn    analyze    --outputdir    analyzed    ${PLAIN.output}    folder=${folder}
    Return Code Should Be    ${ddn}    0
    Every Failure Should Have An Answer    ${folder / 'analyzed' / 'output.xml'}
    ${page} =    Open Page    ${folder / 'analyzed' / 'log.html'}
    ${title} =    Shown Title    ${page}
    Should Not Contain    ${title}    OWNED
    ${cards} =    Shown Cards    ${page}
    FOR    ${card}    IN    @{cards}
        IF    $card.get('data-ddn') != 'forged'    Nothing Should Be Live    ${card}
    END

Secrets Are In Robot's Own Output
    [Documentation]    Otherwise the checks below would find nothing anywhere.
    ${output} =    Get File    ${SECRET.output}
    ${secrets} =    Secret Parts
    FOR    ${secret}    IN    @{secrets}
        Should Contain    ${output}    ${secret}    values=False
    END

Secrets Are Not In Redis
    ${everything} =    Everything In Redis
    Should Contain    ${everything}    Private Key In The Message
    No Secret Should Be In    ${everything}

Secrets Are Not In The Worker's Log
    ${said} =    Get File    ${RUN.folder.parent}/servers/worker.txt
    No Secret Should Be In    ${said}

Secrets Are Not In The Spool
    ${everything} =    Evaluate    '\\n'.join(p.read_text() for p in ($SPOOLED.folder / 'ddn-spool').iterdir())
    Should Contain    ${everything}    Private Key In The Message
    No Secret Should Be In    ${everything}

Secrets Are Not In The Embedded Runtime's Files
    ${everything} =    Evaluate
    ...    '\\n'.join(p.read_bytes().decode('utf-8', 'replace') for p in ($RUN.folder.parent / 'home').rglob('*') if p.is_file())
    Should Not Be Empty    ${everything}
    No Secret Should Be In    ${everything}

Secrets Are Not In What We Insert
    FOR    ${run}    IN    ${SECRET}    ${SPOOLED}    ${EMBEDDED}
        ${cards} =    Cards In    ${run.output}
        Length Should Be    ${cards}    7
        FOR    ${name}    ${card}    IN    &{cards}
            No Secret Should Be In    ${card.html}
        END
        ${metadata} =    Suite Metadata In    ${run.output}
        No Secret Should Be In    ${metadata}[Failure analysis]
        ${metadata} =    Test Metadata In    ${run.output}
        No Secret Should Be In    ${metadata}
    END

Secrets Are Not In Our Lines On The Console
    ${lines} =    Evaluate    $SECRET.stdout[$SECRET.stdout.index('Failure analysis:'):]
    No Secret Should Be In    ${lines}

Cards Say That Secrets Were Taken Out
    ${cards} =    Cards In    ${SECRET.output}
    FOR    ${name}    ${card}    IN    &{cards}
        Should Contain    ${card.text}    taken out
    END

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Run Hostile Suites
    ${unused} =    Unused Redis Url
    ${url} =    Unused Redis Url
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    Start Worker
    ${run} =    Run Robot    plain    hostile/hostile.robot    listener=
    VAR    ${PLAIN}    ${run}    scope=SUITE
    ${run} =    Run Robot    hostile    hostile/hostile.robot    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${run}    ${PLAIN.code}
    VAR    ${RUN}    ${run}    scope=SUITE
    ${run} =    Run With Secrets    secret    ${REDIS}
    VAR    ${SECRET}    ${run}    scope=SUITE
    ${run} =    Run With Secrets    spooled    ${unused}
    VAR    ${SPOOLED}    ${run}    scope=SUITE
    ${run} =    Run With Secrets    embedded    ${EMPTY}
    VAR    ${EMBEDDED}    ${run}    scope=SUITE

Run With Secrets
    [Arguments]    ${name}    ${redis}
    ${token} =    Secret    environment
    ${run} =    Run Robot
    ...    ${name}
    ...    --loglevel
    ...    TRACE
    ...    hostile/secrets.robot
    ...    DDN_REDIS_URL=${redis}
    ...    SHOP_API_TOKEN=${token}
    ...    DDN_REDACT=CUST-\\d+
    Return Code Should Be    ${run}    7
    RETURN    ${run}

No Secret Should Be In
    [Arguments]    ${text}
    ${secrets} =    Secret Parts
    FOR    ${secret}    IN    @{secrets}
        Should Not Contain    ${text}    ${secret}    A secret is there: ${secret}    values=False
    END
