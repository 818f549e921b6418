*** Settings ***
Documentation       Cross-site scripting by whatever others wrote: names, tags, messages, answers of a model, runbooks, subjects of
...                 commits, and by answers with a payload in every field. A browser that opens the pages executes nothing and
...                 asks no server. Each family of payloads is live where nothing is escaped, and has a test of its own.
Library             Injected.py
Library             Forged.py
Library             Stack.py
Library             OperatingSystem
Resource            atest.resource
Suite Setup         Look At Hostile Pages
Suite Teardown      Run Keywords    End Stack    AND    End Forging    AND    End Injected    AND    End Programs
Test Template       Family Should Be Harmless


*** Test Cases ***
Something Of Everybody Stands In A Card
    [Documentation]    A model's answer, a runbook's, the subject of a commit: else nothing was tested.
    [Template]    NONE
    ${cards} =    Cards In    ${RUN.output}
    Length Should Be    ${cards}    ${{2 * len($INJECTED.payloads)}}    Not every failure has a card.
    ${all} =    Evaluate    ' '.join(card.text for card in $cards.values())
    FOR    ${part}    IN    AI (gemini    knowledge:    Suspects    Read more    Still needed    <script>document.    <svg/onload=
        Should Contain    ${all}    ${part}    Not on any card: ${part}    values=False
    END

Every Field Of An Answer Stands In A Card
    [Template]    NONE
    ${cards} =    Cards In    ${FORGED.output}
    Length Should Be    ${cards}    ${{len($INJECTED.payloads)}}    Not every failure has a card.
    ${all} =    Evaluate    ' '.join(card.text for card in $cards.values())
    FOR
    ...    ${part}
    ...    IN
    ...    Evidence
    ...    Still needed
    ...    reused from
    ...    Suspects
    ...    Similar
    ...    Read more
    ...    Degraded
    ...    Sent to
    ...    How it was found
    ...    pipeline
    ...    knowledge graded
        Should Contain    ${all}    ${part}    Not on any card: ${part}    values=False
    END

Nothing Is Live In Cards
    [Documentation]    Of whatever family, or of none.
    [Template]    NONE
    FOR    ${run}    IN    ${RUN}    ${FORGED}
        ${log} =    Open Page    ${run.log}
        ${cards} =    Shown Cards    ${log}
        FOR    ${card}    IN    @{cards}
            Nothing Should Be Live    ${card}
        END
    END

A Report For Operators Shows Payloads
    [Template]    NONE
    Should Not Be Empty    ${INJECTED.shown}[report for operators]

Tags Are Ours
    [Template]    NONE
    FOR    ${run}    IN    ${RUN}    ${FORGED}
        ${tags} =    Analysis Tags In    ${run.output}
        ${known} =    Evaluate    set($tags.values()) <= {'ddn:infra_error', 'ddn:test_error', 'ddn:unknown'}
        Should Be True    ${known}    ${tags}
    END

Terminals Get No Control Characters
    [Template]    NONE
    FOR    ${command}    IN    show    explain
        ${done} =    Run Ddn    ${command}    ${HIDDEN}    folder=${FOLDER}    DDN_REDIS_URL=${URL}    DDN_PROJECT=hostile
        Return Code Should Be    ${done}    0
        Should Contain    ${done.stdout}    OWNED    values=False
        ${acting} =    Acting On Terminals    ${done.stdout}
        Should Be Empty    ${acting}
    END

Every Family Has A Test
    [Template]    NONE
    Every Family Should Have A Test In    ${SUITE SOURCE}

Script
    script

Closed Attribute
    closed attribute

Image With Error
    image with error

Svg
    svg

Event In Attribute
    event in attribute

Event In Quoted Attribute
    event in quoted attribute

Frame
    frame

Object
    object

Style
    style

Style Attribute
    style attribute

Base And Form
    base and form

Media
    media

Meta Refresh
    meta refresh

End Of The Data
    end of the data

Entities
    entities

Template
    template

Script Address
    script address

Page Address
    page address

Robot's Link
    robot's link

Robot's Image
    robot's image

Robot's Styles
    robot's styles

Robot's Table
    robot's table

Robot's Html
    robot's html

Markdown
    markdown

Split Tag
    split tag

Hidden Characters
    hidden characters

Cdata
    cdata

*** Keywords ***
Look At Hostile Pages
    ${programs} =    Get Library Instance    Programs
    ${injected} =    Get Library Instance    Injected
    VAR    ${INJECTED}    ${injected}    scope=SUITE
    VAR    ${FOLDER}    ${programs.folder}    scope=SUITE
    Remove Directory    ${FOLDER}    recursive=True
    Create Directory    ${FOLDER}
    ${page} =    Page Of Live Payloads    ${FOLDER}
    ${page} =    Open Page    ${page}
    Note What Is Live Where Nothing Is Escaped    ${page}
    Analyse A Hostile Project
    Answer With Payloads
    Look At Log And Report    ${RUN}    of the backend
    Look At Log And Report    ${FORGED}    of forged answers
    Look At Flower
    Look At The Report For Operators

Analyse A Hostile Project
    ${project} =    Make Hostile Project    ${FOLDER}
    VAR    ${TESTS}    ${project / 'tests'}    scope=SUITE
    ${runbooks} =    Make Hostile Runbooks    ${FOLDER}
    Start Stack
    ...    DDN_SOURCE_ROOT=${project}
    ...    GOOGLE_GEMINI_BASE_URL=${INJECTED.model.url}
    ...    DDN_MODEL_GROUPS=500
    ...    DDN_MODEL_CALLS=2
    ${done} =    Run Ddn    learn    ${runbooks}    folder=${FOLDER}
    Return Code Should Be    ${done}    0
    ${stack} =    Get Library Instance    Stack
    VAR    ${URL}    ${stack.redis_url}    scope=SUITE
    ${run} =    Run Robot    run    ${TESTS}    DDN_REDIS_URL=${URL}    DDN_WAIT=60    DDN_PROJECT=hostile
    VAR    ${RUN}    ${run}    scope=SUITE
    ${cards} =    Cards In    ${run.output}
    @{ids} =    Evaluate    [card.id for card in $cards.values()]
    VAR    @{IDS}    @{ids}    scope=SUITE
    ${number} =    Evaluate    list($INJECTED.payloads).index('hidden characters')
    ${hidden} =    Evaluate    next(card.id for name, card in $cards.items() if name.startswith('T${number} '))
    VAR    ${HIDDEN}    ${hidden}    scope=SUITE

Answer With Payloads
    ${url} =    Forged.Start Redis
    Start Forging
    ${run} =    Run Robot    forged    --test    T[0-9]*    ${TESTS}    DDN_REDIS_URL=${url}    DDN_WAIT=60    DDN_PROJECT=hostile
    VAR    ${FORGED}    ${run}    scope=SUITE

Look At Log And Report
    [Documentation]    What became live may have led the browser away from a page: then its parts are not there to be looked at.
    [Arguments]    ${run}    ${whose}
    ${page} =    Page Of Inserted Html    ${run.output}
    ${page} =    Open Page    ${page}
    Note What Is Live    cards and metadata ${whose}, each alone    ${page}
    ${log}    ${report} =    Log And Report Of    ${run}
    FOR    ${name}    ${page}    IN    log.html    ${log}    report.html    ${report}
        Note What Is Live    ${name} ${whose}    ${page}
        TRY
            ${cell} =    Shown Row    ${page}    Failure analysis:
            Note What Is Live    metadata in ${name} ${whose}    ${page}    ${cell}    is_plain=True
        EXCEPT    There is no row*    type=GLOB
            Log    ${name} has no metadata.    WARN
        END
    END
    ${cards} =    Shown Cards    ${log}
    Note What Is Live    cards ${whose}    ${log}    @{cards}
    ${causes} =    Evaluate    [cell for row in $log.iter('tr') for cell in row.findall('td') if row.findtext('th') == 'Root cause:']
    Note What Is Live    root causes ${whose}    ${log}    @{causes}    is_plain=True

Look At Flower
    FOR    ${id}    IN    @{IDS}[:3]
        ${page} =    Open Flower    /task/${id}
        Note What Is Live    Flower's page of a task    ${page}    ${page}
    END
    FOR    ${path}    IN    /tasks    /broker
        ${page} =    Open Flower    ${path}
        Note What Is Live    Flower's ${path}    ${page}
    END

Look At The Report For Operators
    ${done} =    Run Ddn    report    --html    report.html    folder=${FOLDER}    DDN_REDIS_URL=${URL}    DDN_PROJECT=hostile
    Return Code Should Be    ${done}    0
    ${page} =    Open Page    ${FOLDER / 'report.html'}
    ${body} =    Evaluate    $page.find('.//body')
    Note What Is Live    report for operators    ${page}    ${body}
