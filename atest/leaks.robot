*** Settings ***
Documentation       Planted secrets of every kind that redaction knows, in every place of a failure: a search through the bytes of all that
...                 our parts store, send, serve or log, with a model that reads what it can and says again what it was told.
Library             OperatingSystem
Library             Leaks.py
Library             Mongo.py
Library             Stack.py
Resource            atest.resource
Suite Setup         Analyse A Project Full Of Secrets
Suite Teardown      Run Keywords    End Stack    AND    End Mongo    AND    End Services    AND    End Programs
Test Tags           backend


*** Test Cases ***
Secrets Were There To Be Found
    ${output} =    Get Binary File    ${RUN.output}
    Every Secret Should Be In    Robot's own output    ${output}

Not In Redis, And Never Sent To It
    ${keys} =    All Keys Of Redis    ${URL}
    Marks Should Be In    Redis    ${LEAKS.said_to_redis}
    No Secret Should Be In    Redis    ${keys}    ${LEAKS.said_to_redis}

Not In History, Learned Files, Logs And What Flower Keeps
    ${files} =    All Files Below    ${HOME_FOLDER}
    Marks Should Be In    history    ${files}
    No Secret Should Be In    the files of the backend    ${files}

Not In A History In MongoDB
    [Documentation]    Of an analysis after the run, by Robot's own output, which holds them all; only what a variable held is not
    ...    known any more, as docs/privacy.md says.
    ${mongo} =    Start Mongo
    ${token} =    Environment Secret
    ${done} =    Run Ddn
    ...    analyze
    ...    --outputdir
    ...    analyzed
    ...    ${RUN.output}
    ...    folder=${PROJECT}
    ...    DDN_MONGO_URL=${mongo}
    ...    SHOP_API_TOKEN=${token}
    ...    DDN_REDACT=CUST-\\d+
    ...    DDN_PROJECT=leaks
    Return Code Should Be    ${done}    0
    ${documents} =    All Documents In Mongo    ${mongo}
    Marks Should Be In    MongoDB    ${documents}
    No Secret Should Be In    MongoDB    ${documents}    but=variable
    No Secret Should Be In    our lines on the console    ${done.stdout}    ${done.stderr}    but=variable

Not In What Operators And Testers Are Told
    FOR    ${command}    IN    tasks    report    status    dead
        ${done} =    Run Ddn    ${command}    folder=${PROJECT}    DDN_REDIS_URL=${URL}
        Return Code Should Be    ${done}    0
        No Secret Should Be In    ddn ${command}    ${done.stdout}    ${done.stderr}
    END
    ${done} =    Run Ddn    report    --html    ${PROJECT / 'report.html'}    folder=${PROJECT}    DDN_REDIS_URL=${URL}
    ${page} =    Get Binary File    ${PROJECT / 'report.html'}
    Should Contain    ${{$page.decode()}}    amused
    No Secret Should Be In    the report for operators    ${page}
    ${cards} =    Cards In    ${RUN.output}
    FOR    ${name}    IN    Message 0    Log 0    Cause 0    Code 0    Argument 0    Environment    Pictures
        ${done} =    Run Ddn    show    ${cards['${name}'].id}    folder=${PROJECT}    DDN_REDIS_URL=${URL}
        Return Code Should Be    ${done}    0
        Should Contain    ${done.stdout}    amused
        No Secret Should Be In    ddn show    ${done.stdout}
    END

Not In Prompts And Tools' Answers
    Marks Should Be In    the model    ${LEAKS.model.sent}
    Should Contain    ${LEAKS.model.sent}    untrusted_data
    Should Contain    ${LEAKS.model.sent}    The code of part
    No Secret Should Be In    the model    ${LEAKS.model.sent}

Not At Pinecone
    ${asked} =    All That Pinecone Was Asked
    Should Contain    ${{$asked.decode()}}    amused
    No Secret Should Be In    Pinecone    ${asked}

Not On Flower's Pages And In Its Answers
    ${status}    ${tasks} =    Flower Answers    /api/tasks?limit\=1000
    Should Contain    ${tasks}    amused
    No Secret Should Be In    /api/tasks    ${tasks}
    @{ids} =    Evaluate    list(json.loads($tasks))    modules=json
    FOR    ${id}    IN    @{ids}
        FOR    ${path}    IN    /task/${id}    /api/task/info/${id}    /api/task/result/${id}?timeout\=0.01
            ${status}    ${body} =    Flower Answers    ${path}
            No Secret Should Be In    ${path}    ${body}
        END
    END
    FOR    ${path}    IN    /metrics    /api/workers    /api/queues/length
        ${status}    ${body} =    Flower Answers    ${path}
        No Secret Should Be In    ${path}    ${body}
    END
    FOR    ${path}    IN    /tasks    /workers    /broker    /task/${ids}[0]
        ${page} =    Open Flower    ${path}
        ${text} =    Evaluate    xml.etree.ElementTree.tostring($page)    modules=xml.etree.ElementTree
        No Secret Should Be In    ${path}    ${text}
    END

Not In What The Stack Says
    ${said} =    Said
    No Secret Should Be In    the stack    ${said}

Not In What We Insert
    FOR    ${run}    IN    ${RUN}    ${REFUSED}    ${HUNG}
        ${cards} =    Cards In    ${run.output}
        ${metadata} =    Suite Metadata In    ${run.output}
        ${causes} =    Test Metadata In    ${run.output}
        Should Not Be Empty    ${cards}
        FOR    ${name}    ${card}    IN    &{cards}
            No Secret Should Be In    the card of ${name}    ${card.html}
        END
        No Secret Should Be In    metadata    ${metadata}[Failure analysis]    ${{list($causes.values())}}
        ${said} =    Evaluate    $run.stdout[$run.stdout.index('Failure analysis:'):]
        No Secret Should Be In    our lines on the console    ${said}
    END

Not In Spools
    FOR    ${run}    IN    ${REFUSED}    ${HUNG}
        ${files} =    All Files Below    ${run.folder / 'ddn-spool'}
        Marks Should Be In    spool    ${files}
        No Secret Should Be In    spool    ${files}
    END

Not In Records Of Runs
    [Documentation]    In its own test: a passing test's name is looked at by another reader than a report.
    ${kept} =    All Files Below    ${HOME_FOLDER / 'runs'}
    Should Contain    ${{$kept.decode('utf-8', 'replace')}}    outcomes
    Marks Should Be In    runs    ${kept}    share=0.9
    No Secret Should Be In    runs    ${kept}


*** Keywords ***
Analyse A Project Full Of Secrets
    ${programs} =    Get Library Instance    Programs
    ${leaks} =    Get Library Instance    Leaks
    VAR    ${LEAKS}    ${leaks}    scope=SUITE
    VAR    ${HOME_FOLDER}    ${programs.home}    scope=SUITE
    Remove Directory    ${programs.folder}    recursive=True
    ${project} =    Make Project    ${programs.folder}
    VAR    ${PROJECT}    ${project}    scope=SUITE
    ${services} =    Services
    Start Stack    DDN_SOURCE_ROOT=${project}    &{services}
    ${stack} =    Get Library Instance    Stack
    VAR    ${URL}    ${stack.redis_url}    scope=SUITE
    Listen To Redis    ${URL}
    ${run} =    Run With Secrets    run    ${URL}    DDN_WAIT=60
    VAR    ${RUN}    ${run}    scope=SUITE
    ${unused} =    Evaluate    'redis://127.0.0.1:1/0'
    ${run} =    Run With Secrets    refused    ${unused}
    VAR    ${REFUSED}    ${run}    scope=SUITE
    ${deaf} =    Deaf Redis
    ${run} =    Run With Secrets    hung    ${deaf}
    VAR    ${HUNG}    ${run}    scope=SUITE

Run With Secrets
    [Arguments]    ${name}    ${redis}    &{more}
    ${token} =    Environment Secret
    ${run} =    Run Robot
    ...    ${name}
    ...    --loglevel
    ...    TRACE
    ...    ${PROJECT / 'tests'}
    ...    DDN_REDIS_URL=${redis}
    ...    SHOP_API_TOKEN=${token}
    ...    DDN_REDACT=CUST-\\d+
    ...    DDN_PROJECT=leaks
    ...    &{more}
    RETURN    ${run}
