*** Settings ***
Documentation       Cross-site scripting by whatever others wrote: names, tags, messages, answers of a model, runbooks, subjects of
...                 commits. A browser that opens the pages executes nothing and asks no server.
Library             Injected.py
Library             Stack.py
Library             OperatingSystem
Resource            atest.resource
Suite Setup         Analyse A Hostile Project
Suite Teardown      Run Keywords    End Stack    AND    End Injected    AND    End Programs


*** Test Cases ***
The Payloads Are Live Where Nothing Is Escaped
    ${page} =    Page Of Live Payloads    ${FOLDER}
    ${page} =    Open Page    ${page}
    ${title} =    Shown Title    ${page}
    Should Be Equal    ${title}    OWNED
    Should Not Be Empty    ${INJECTED.visitors}
    Forget Visitors

Every Payload Stands In A Card
    [Documentation]    As a model's answer, as a runbook's, and in the subject of a commit: else nothing was tested.
    ${cards} =    Cards In    ${RUN.output}
    Length Should Be    ${cards}    ${{2 * len($INJECTED.payloads)}}    Not every failure has a card.
    ${all} =    Evaluate    ' '.join(card.text for card in $cards.values())
    FOR    ${part}    IN    AI (gemini    knowledge:    Suspects    Read more    Still needed    <script>document.title=    <svg/onload=
        Should Contain    ${all}    ${part}    Not on any card: ${part}    values=False
    END

Nothing Is Executed And Nothing Is Loaded
    @{pages} =    Log And Report Of    ${RUN}
    FOR    ${page}    IN    @{pages}
        ${title} =    Shown Title    ${page}
        Should Not Contain    ${title}    OWNED
    END
    Should Be Empty    ${INJECTED.visitors}

Cards And Metadata Are Not Live
    ${log}    ${report} =    Log And Report Of    ${RUN}
    ${cards} =    Shown Cards    ${log}
    Length Should Be    ${cards}    ${{2 * len($INJECTED.payloads)}}    Not every failure has a card.
    FOR    ${card}    IN    @{cards}
        Nothing Should Be Live    ${card}
        ${links} =    Evaluate    [a.get('href') for a in $card.iter('a') if urllib.parse.urlsplit(a.get('href')).hostname != 'example.com']    modules=urllib.parse
        Should Be Empty    ${links}
    END
    FOR    ${page}    IN    ${log}    ${report}
        ${cell} =    Shown Row    ${page}    Failure analysis:
        Nothing Should Be Live    ${cell}
        ${links} =    Evaluate    list($cell.iter('a'))
        Should Be Empty    ${links}
    END

Flower's Pages Are Not Live
    FOR    ${path}    IN    /tasks    /broker    /task/${ID}
        ${page} =    Open Flower    ${path}
        ${title} =    Shown Title    ${page}
        Should Not Contain    ${title}    OWNED
    END
    Should Be Empty    ${INJECTED.visitors}

A Report For Operators Is Not Live
    ${done} =    Run Ddn    report    --html    report.html    folder=${FOLDER}    DDN_REDIS_URL=${URL}    DDN_PROJECT=hostile
    Return Code Should Be    ${done}    0
    ${page} =    Open Page    ${FOLDER / 'report.html'}
    ${text} =    Shown Text    ${page}
    Should Contain    ${text}    document.title=    No payload is on it.    values=False
    ${title} =    Shown Title    ${page}
    Should Not Contain    ${title}    OWNED
    Should Be Empty    ${INJECTED.visitors}


*** Keywords ***
Analyse A Hostile Project
    ${programs} =    Get Library Instance    Programs
    ${injected} =    Get Library Instance    Injected
    VAR    ${INJECTED}    ${injected}    scope=SUITE
    VAR    ${FOLDER}    ${programs.folder}    scope=SUITE
    Remove Directory    ${FOLDER}    recursive=True
    ${project} =    Make Hostile Project    ${FOLDER}
    ${runbooks} =    Make Hostile Runbooks    ${FOLDER}
    Start Stack    DDN_SOURCE_ROOT=${project}    GOOGLE_GEMINI_BASE_URL=${injected.model.url}    DDN_MODEL_GROUPS=500    DDN_MODEL_CALLS=2
    ${done} =    Run Ddn    learn    ${runbooks}    folder=${FOLDER}
    Return Code Should Be    ${done}    0
    ${stack} =    Get Library Instance    Stack
    VAR    ${URL}    ${stack.redis_url}    scope=SUITE
    ${run} =    Run Robot    run    ${project / 'tests'}    DDN_REDIS_URL=${URL}    DDN_WAIT=60    DDN_PROJECT=hostile
    VAR    ${RUN}    ${run}    scope=SUITE
    ${cards} =    Cards In    ${run.output}
    ${id} =    Evaluate    next(iter($cards.values())).id
    VAR    ${ID}    ${id}    scope=SUITE
