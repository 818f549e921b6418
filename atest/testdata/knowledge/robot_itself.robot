*** Settings ***
Documentation       Every test fails on purpose; its tag names the document of the knowledge base that explains it.
Library             Collections
Library             DateTime
Library             XML
Library             standins/Shop.py
Resource            first.resource
Resource            second.resource


*** Test Cases ***
Keyword Is Misspelt
    [Tags]    knowledge:robot-keyword-not-found
    Opne Shop    https://shop.example

One Space Too Few
    [Tags]    knowledge:robot-keyword-not-found
    Log Hello

Library Is Not Installed
    [Tags]    knowledge:robot-library-import-failed
    Import Library    MailboxLibraryOfTheTeam

Module Is Not Installed
    [Tags]    knowledge:robot-library-import-failed
    Evaluate    __import__('faker_of_the_team').Faker()

Library Takes No Arguments
    [Tags]    knowledge:robot-library-init-failed
    Import Library    Collections    strict=yes

Library Fails To Start
    [Tags]    knowledge:robot-library-init-failed
    Import Library    ${CURDIR}/standins/NeedsLicence.py

Resource Was Moved
    [Tags]    knowledge:robot-resource-missing
    Import Resource    ${CURDIR}/keywords/login.resource

Variables Of A Stage Are Missing
    [Tags]    knowledge:robot-resource-missing
    Import Variables    ${CURDIR}/stages/preprod.py

Variable Was Never Set
    [Tags]    knowledge:robot-variable-missing
    Log    Logged in as ${LOGGED IN USER}

Environment Variable Is Not Set
    [Tags]    knowledge:robot-environment-variable-missing
    Log    Testing against %{SHOP_URL_OF_THIS_STAGE}

Argument Is Forgotten
    [Tags]    knowledge:robot-wrong-argument-count
    Should Be Equal    one

Wrong Name Of An Argument
    [Tags]    knowledge:robot-wrong-argument-count
    Greet    name=Ann    language=fi

Time Without A Unit It Knows
    [Tags]    knowledge:robot-argument-conversion
    Wait For Parcel    ten moments

Row Is Not In The List
    [Tags]    knowledge:robot-argument-conversion
    Reserve Seats    middle

Two Resources With One Keyword
    [Tags]    knowledge:robot-duplicate-keyword
    Open Shop

Condition Without Quotes
    [Tags]    knowledge:robot-evaluate-failed
    VAR    ${status}    ready
    IF    ${status} == 'ready'    Log    Go

Expression With A Gap
    [Tags]    knowledge:robot-evaluate-failed
    VAR    ${count}    ${EMPTY}
    Should Be True    ${count} > 1

Test Takes Too Long
    [Tags]    knowledge:robot-timeout
    [Timeout]    100 ms
    Sleep    5 s

Keyword Takes Too Long
    [Tags]    knowledge:robot-timeout
    Slow Keyword

Order Is Never Shipped
    [Tags]    knowledge:robot-retries-exhausted
    Wait Until Keyword Succeeds    3x    10ms    Fail    Order is still open

Loop Without End
    [Tags]    knowledge:robot-retries-exhausted
    WHILE    True    limit=5
        No Operation
    END

Price Is Another
    [Tags]    knowledge:values-differ
    Should Be Equal    EUR 12.50    EUR 12.00

Name Is Missing In The List
    [Tags]    knowledge:values-differ
    Should Contain    apples, pears    plums

Lists Differ
    [Tags]    knowledge:values-differ
    Lists Should Be Equal    ${{ ["a", "b"] }}    ${{ ["a", "c"] }}

Number Against Text
    [Tags]    knowledge:value-types-differ
    Should Be Equal    ${42}    42

Boolean Against Text
    [Tags]    knowledge:value-types-differ
    Should Be Equal    ${False}    False

Answer Has No Id
    [Tags]    knowledge:item-or-key-missing
    Get From Dictionary    ${{ {"error": "unknown"} }}    order_id

List Is Too Short
    [Tags]    knowledge:item-or-key-missing
    VAR    @{orders}    first
    Log    ${orders}[4]

Remote Server Is Not Started
    [Tags]    knowledge:remote-server-unreachable
    Import Library    Remote    http://127.0.0.1:9/    timeout=2s
    Run Keyword    Remote.Ring

Loop Is Not Closed
    [Tags]    knowledge:robot-syntax-error
    IF    True
        Log    Never closed

Loop Of Old Times
    [Tags]    knowledge:robot-syntax-error
    For    ${item}    IN    a    b
        Log    ${item}
    END

Date In Another Order
    [Tags]    knowledge:date-format-mismatch
    Convert Date    31/12/2024    date_format=%Y-%m-%d

Keyword Calls Itself
    [Tags]    knowledge:python-recursion
    Close Shop


*** Keywords ***
Greet
    [Arguments]    ${name}
    Log    ${name}

Slow Keyword
    [Timeout]    80 ms
    Sleep    5 s

Close Shop
    Close Shop
