*** Settings ***
Documentation       Suites in parallel with nothing but the two options: one run, one runtime, groups over all processes.
Library             Collections
Resource            atest.resource
Suite Setup         Run In Parallel
Suite Teardown      End Programs


*** Variables ***
@{SUITES}           One    Two    Three    Four    Five


*** Test Cases ***
Return Code And Statuses Are Those Of Robot Alone
    ${plain} =    Run Robot    plain    parallel    listener=
    Return Code Should Be    ${RUN}    ${plain.code}
    ${found} =    Statuses In    ${RUN.output}
    ${expected} =    Statuses In    ${plain.output}
    Should Be Equal    ${found}    ${expected}

Every Failure Has One Card
    Every Failure Should Have One Card    ${RUN.output}

Equal Failures Of All Processes Are One Report
    VAR    @{names}    Six setup
    FOR    ${suite}    IN    @{SUITES}
        Append To List    ${names}    Service Is Asked In ${suite}
    END
    ${reports} =    Reports Of    ${CARDS}    @{names}
    Length Should Be    ${reports}    1

Different Failures Are Different Reports
    VAR    @{names}
    FOR    ${suite}    IN    @{SUITES}
        Append To List    ${names}    Differs In ${suite}
    END
    ${reports} =    Reports Of    ${CARDS}    @{names}
    Length Should Be    ${reports}    5

All Processes Shared One Runtime
    ${logs} =    Evaluate    list(pathlib.Path($RUN.folder).parent.glob('home/*/runtime.log'))    modules=pathlib
    Length Should Be    ${logs}    1
    ${starts} =    Evaluate    $logs[0].read_text().count('Ready at')
    Should Be Equal As Integers    ${starts}    1

Statistics Count The Tags
    ${counted} =    Tag Statistics In    ${RUN.output}
    ${expected} =    Expected Tag Statistics    ${RUN.output}
    Should Be Equal    ${counted}    ${expected}
    Should Not Be Empty    ${counted}

Log Shows Each Group Once In Full
    ${page} =    Open Page    ${RUN.log}
    ${groups} =    Shown Groups    ${page}
    FOR    ${report}    ${cards}    IN    &{groups}
        Should Be Equal    ${{ $cards[0].get('data-ddn-role') }}    full
        FOR    ${card}    IN    @{cards}[1:]
            Should Be Equal    ${card.get('data-ddn-role')}    member
        END
    END
    Length Should Be    ${groups}    6

Members Name The First
    ${page} =    Open Page    ${RUN.log}
    ${groups} =    Shown Groups    ${page}
    ${cards} =    Set Variable    ${{ $groups[$CARDS['Six setup'].id] }}
    Length Should Be    ${cards}    7
    FOR    ${card}    IN    @{cards}[1:]
        ${text} =    Shown Text    ${card}
        Should Contain    ${text}    ${{ $cards[0].get('data-ddn-name') }}
    END

Log And Report Have The Summary Of All Processes
    ${failed} =    Failed Tests In    ${RUN.output}
    @{pages} =    Log And Report Of    ${RUN}
    FOR    ${page}    IN    @{pages}
        ${cell} =    Shown Row    ${page}    Failure analysis:
        ${text} =    Shown Text    ${cell}
        Should Start With    ${text}    ${{ len($failed) }} failed tests, 6 causes
    END

Only The Top Suite Has A Summary
    ${page} =    Open Page    ${RUN.log}
    ${rows} =    Shown Rows    ${page}    Failure analysis:
    Length Should Be    ${rows}    1

Cards Are Final
    ${page} =    Open Page    ${RUN.log}
    ${cards} =    Shown Cards    ${page}
    FOR    ${card}    IN    @{cards}
        Should Be Equal    ${card.get('data-ddn-stage')}    final
    END

Summary Is On The Console Once
    ${times} =    Evaluate    $RUN.stdout.count('Failure analysis:')
    Should Be Equal As Integers    ${times}    1
    Should Not Contain    ${RUN.stdout}    uncertain, offline analysis    The console knows less than the cards.
    Nothing Should Be Said Of A Problem    ${RUN}

No Process Is Left Behind
    No Process Should Be Left


*** Keywords ***
Run In Parallel
    # Idle for some seconds, so that processes that follow each other slowly on a busy machine find the same runtime.
    ${run} =    Run Pabot
    ...    parallel
    ...    --processes    4
    ...    --listener    robot_ddn_listener
    ...    --prerebotmodifier    robot_ddn_listener.Attach
    ...    ${TESTDATA}/parallel
    ...    DDN_IDLE=5
    VAR    ${RUN}    ${run}    scope=SUITE
    ${cards} =    Cards In    ${run.output}
    VAR    &{CARDS}    &{cards}    scope=SUITE
