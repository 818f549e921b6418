*** Settings ***
Documentation       What Redis did not take is kept, sent later, and answered later: replay, attach, and the next run.
Library             OperatingSystem
Library             Servers.py
Resource            atest.resource
Suite Setup         Run While Redis Is Down
Suite Teardown      Run Keywords    End Programs    AND    End Servers


*** Test Cases ***
Undelivered Reports Are Kept In The Output Folder
    ${spooled} =    List Directory    ${RUN.folder}/ddn-spool
    ${cards} =    Cards In    ${RUN.output}
    ${expected} =    Evaluate    sorted({f'{card.id}.json' for card in $cards.values()})
    Should Be Equal    ${spooled}    ${expected}

Only Their Owner Can Read Them
    ${modes} =    Evaluate    {oct(p.stat().st_mode & 0o777) for p in ($RUN.folder / 'ddn-spool').iterdir()}
    Should Be Equal    ${modes}    ${{ {'0o600'} }}
    ${mode} =    Evaluate    oct(($RUN.folder / 'ddn-spool').stat().st_mode & 0o777)
    Should Be Equal    ${mode}    0o700

Card Says Where It Is And Has The Rules' Verdict
    ${cards} =    Cards In    ${RUN.output}
    ${card} =    Set Variable    ${cards}[Reads The Plan]
    Should Be Equal    ${card.stage}    interim
    Should Be Equal    ${card.type}    TEST_ERROR
    Should Contain    ${card.text}    Not delivered
    Should Contain    ${card.text}    refused
    Should Contain    ${card.text}    ddn replay down
    Should Contain    ${RUN.stdout}    Not delivered: 2 reports

Hung Redis Is The Same
    ${cards} =    Cards In    ${HUNG.output}
    ${card} =    Set Variable    ${cards}[Reads The Plan]
    Should Contain    ${card.text}    Not delivered
    ${count} =    Count Files In Directory    ${HUNG.folder}/ddn-spool    *.json
    Should Be Equal As Integers    ${count}    2

Replay While Redis Is Down Keeps Them
    ${ddn} =    Run Ddn    replay    ${RUN.folder}    --redis    ${DOWN}
    Return Code Should Be    ${ddn}    1
    Should Contain    ${ddn.stdout}    0 sent
    Should Contain    ${ddn.stdout}    2 left
    ${count} =    Count Files In Directory    ${RUN.folder}/ddn-spool    *.json
    Should Be Equal As Integers    ${count}    2

Replay Sends Them
    ${ddn} =    Run Ddn    replay    ${RUN.folder}    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${ddn}    0
    Should Contain    ${ddn.stdout}    2 sent
    Directory Should Not Exist    ${RUN.folder}/ddn-spool

Replay Of Nothing Says So
    ${ddn} =    Run Ddn    replay    ${RUN.folder}    --redis    ${REDIS}
    Return Code Should Be    ${ddn}    0
    Should Contain    ${ddn.stdout}    No undelivered reports

Attach Turns Interim Cards Into Final Ones
    ${before} =    Cards In    ${RUN.output}
    ${ddn} =    Run Ddn    attach    output.xml    folder=${RUN.folder}    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${ddn}    0
    ${after} =    Cards In    ${RUN.output}
    Should Be Equal    ${{ {n: c.id for n, c in $before.items()} }}    ${{ {n: c.id for n, c in $after.items()} }}
    FOR    ${name}    ${card}    IN    &{after}
        Should Be Equal    ${card.stage}    final    Card of '${name}'
        Should Not Contain    ${card.text}    Not delivered
    END
    ${counted} =    Tag Statistics In    ${RUN.output}
    ${expected} =    Expected Tag Statistics    ${RUN.output}
    Should Be Equal    ${counted}    ${expected}
    ${summary} =    Suite Metadata In    ${RUN.output}
    Should Contain    ${summary}[Failure analysis]    likely, please confirm, rule variable-not-found

Attach Makes Log And Report Anew
    ${page} =    Open Page    ${RUN.log}
    ${cards} =    Shown Cards    ${page}
    Length Should Be    ${cards}    3
    FOR    ${card}    IN    @{cards}
        Should Be Equal    ${card.get('data-ddn-stage')}    final
    END
    ${page} =    Open Page    ${RUN.report}
    ${shown} =    Shown Tag Statistics    ${page}
    ${expected} =    Expected Tag Statistics    ${RUN.output}
    Should Be Equal    ${shown}    ${expected}

Attaching Again Changes No Byte
    ${before} =    Get Binary File    ${RUN.output}
    ${ddn} =    Run Ddn    attach    ${RUN.output}    --redis    ${REDIS}
    Return Code Should Be    ${ddn}    0
    ${after} =    Get Binary File    ${RUN.output}
    Should Be True    $before == $after
    Should Contain    ${ddn.stdout}    likely, please confirm, rule variable-not-found    The console knows less than the card.

Attach Changes No Status
    ${found} =    Statuses In    ${RUN.output}
    ${expected} =    Statuses In    ${HUNG.output}
    Should Be Equal    ${found}    ${expected}

Attach Works On JSON
    ${ddn} =    Run Ddn    replay    ${JSON.folder}    --redis    ${REDIS}
    Return Code Should Be    ${ddn}    0
    ${ddn} =    Run Ddn    attach    ${JSON.folder}/output.json    --redis    ${REDIS}
    Return Code Should Be    ${ddn}    0
    ${cards} =    Cards In    ${JSON.folder / 'output.json'}
    FOR    ${name}    ${card}    IN    &{cards}
        Should Be Equal    ${card.stage}    final    Card of '${name}'
    END
    ${page} =    Open Page    ${JSON.log}
    ${shown} =    Shown Groups    ${page}
    Length Should Be    ${shown}    2

Attach Without A Worker Ends With Code 1
    [Documentation]    The reports of this run are still in its folder: no answer can be there.
    ${ddn} =    Run Ddn    attach    ${HUNG.output}    --redis    ${REDIS}    --wait    0    --log    NONE    --report    NONE
    Return Code Should Be    ${ddn}    1
    Should Contain    ${ddn.stderr}    2 of 2 answers are still open

Next Run In The Same Folder Sends Them First
    ${earlier} =    Cards In    ${HUNG.output}
    ${run} =    Run Robot    next    --outputdir    ${HUNG.folder}    small.robot    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${run}    4
    Directory Should Not Exist    ${HUNG.folder}/ddn-spool
    FOR    ${name}    ${card}    IN    &{earlier}
        Verdict Is There    ${card.id}
    END

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Run While Redis Is Down
    ${url} =    Unused Redis Url
    VAR    ${DOWN}    ${url}    scope=SUITE
    ${run} =    Run Robot    down    small.robot    DDN_REDIS_URL=${DOWN}
    Return Code Should Be    ${run}    4
    VAR    ${RUN}    ${run}    scope=SUITE
    ${run} =    Run Robot    down-json    --output    output.json    small.robot    DDN_REDIS_URL=${DOWN}
    VAR    ${JSON}    ${run}    scope=SUITE
    ${url} =    Unused Redis Url
    ${url} =    Start Redis
    VAR    ${REDIS}    ${url}    scope=SUITE
    Start Worker
    Freeze Redis
    ${run} =    Run Robot    hung    small.robot    DDN_REDIS_URL=${REDIS}
    Return Code Should Be    ${run}    4
    VAR    ${HUNG}    ${run}    scope=SUITE
    Thaw Redis
