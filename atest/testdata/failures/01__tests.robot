*** Settings ***
Documentation       Each test that fails does so on purpose, at another place.
Library             Product.py


*** Test Cases ***
Passes
    Product.Order    4711

Fails
    Product.Discount Of    4711

Fails Again
    [Documentation]    Equal to the failure before: one group.
    Log    Another way, the same failure
    Product.Discount Of    4711

Setup Fails
    [Setup]    Product.Connect    ${9}
    Log    Never run

Teardown Fails
    [Tags]    mine
    Log    Runs
    [Teardown]    Should Be Equal    dirty    clean

Test And Teardown Fail
    Product.Order    0815
    [Teardown]    Should Be Equal    dirty    clean

Template Fails
    [Template]    Should Be Equal As Integers
    1    1
    2    3
    4    5

Fails In A For Loop
    FOR    ${number}    IN    4711    4712
        FOR    ${times}    IN RANGE    2
            Product.Order    ${number}
        END
    END

Fails In A While Loop
    ${left} =    Set Variable    ${3}
    WHILE    ${left} > -1    limit=10
        ${share} =    Evaluate    12 / $left
        ${left} =    Evaluate    $left - 1
    END

Fails In An If Branch
    IF    False
        Log    Not here
    ELSE IF    True
        Should Contain    red green    blue
    ELSE
        Log    Not here
    END

Fails After An Expected Error
    TRY
        Fail    Expected and handled
    EXCEPT    Expected*    type=GLOB
        Should Not Be Empty    ${EMPTY}
    END

Fails In A Group
    GROUP    Check the basket
        GROUP    Look inside
            Convert To Integer    many
        END
    END

Fails In A User Keyword
    Outer Keyword

Keyword Is Missing
    No Such Keyword    argument

Variable Is Missing
    Log    ${NO SUCH VARIABLE}

Is Skipped
    Skip    Not today

Is Skipped On Failure
    [Tags]    unstable
    Fail    Known to be unstable

Opted Out
    [Tags]    ddn:off
    Fail    Not to be analysed


*** Keywords ***
Outer Keyword
    Inner Keyword    one    two

Inner Keyword
    [Arguments]    ${first}    ${second}
    Should Be Equal    ${first}    ${second}    The names differ
