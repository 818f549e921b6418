*** Settings ***
Documentation       Robot's own words and Python's, with the standard libraries and the team's own.
Library             Collections
Library             OperatingSystem
Library             Process
Library             DateTime
Library             String
Library             XML
Library             libraries/Shop.py


*** Variables ***
${EMPTY URL}        ${EMPTY}
&{ORDER}            item=tea    quantity=2


*** Test Cases ***
Keyword And Argument With One Space
    [Documentation]    One space between the keyword and its argument.    Evidence: No keyword with name 'Log tea' found
    [Tags]    type:TEST_ERROR
    Log tea

Misspelled Keyword
    [Documentation]    The keyword's name is misspelled.    Evidence: No keyword with name 'Shuold Be Equal' found
    [Tags]    type:TEST_ERROR
    Shuold Be Equal    1    1

Wrong Number Of Arguments
    [Documentation]    The keyword wants two arguments.    Evidence: Keyword 'Shop.Order' expected 2 arguments, got 1
    [Tags]    type:TEST_ERROR
    Order    tea

Variable Never Set
    [Documentation]    The variable is set nowhere.    Evidence: Variable '\${basket id}' not found
    [Tags]    type:TEST_ERROR    or:CONFIG_ERROR
    Log    ${basket id}

Number That Is None
    [Documentation]    A word is given where a number is needed.    Evidence: invalid literal for int() with base 10: 'three'
    [Tags]    type:TEST_ERROR
    Order    tea    three

Key That Is Not There
    [Documentation]    The dictionary has no such key.    Evidence: Dictionary does not contain key 'colour'
    [Tags]    type:TEST_ERROR
    Get From Dictionary    ${ORDER}    colour

Item The Shop Does Not Sell
    [Documentation]    The test data name an item without a price.    Evidence: KeyError: 'plate'
    [Tags]    type:TEST_ERROR    or:CODE_ERROR
    Price Of    plate

Condition Without Quotes
    [Documentation]    A string in a condition lacks its quotes.    Evidence: NameError: name 'tea' is not defined
    [Tags]    type:TEST_ERROR
    Should Be True    tea == 'tea'

Types That Differ
    [Documentation]    A number is compared with a string.    Evidence: 2 (string) != 2 (integer)
    [Tags]    type:TEST_ERROR
    Should Be Equal    ${ORDER}[quantity]    ${2}

Date Of Another Format
    [Documentation]    The date has another format than the one given.    Evidence: does not match format
    [Tags]    type:TEST_ERROR
    Convert Date    24.11.2026    date_format=%Y-%m-%d

Index Outside Of A List
    [Documentation]    The list has fewer items than the test thinks.    Evidence: has no item in index 3
    [Tags]    type:TEST_ERROR
    VAR    @{items}    tea    cup
    Log    ${items}[3]

File That The Test Forgot
    [Documentation]    A file that the test should bring is not there.    Evidence: No such file or directory: '/srv/shop/files/orders.csv'
    [Tags]    type:TEST_ERROR    or:CONFIG_ERROR
    Get File    /srv/shop/files/orders.csv

Element That Is Not In The Document
    [Documentation]    The XPath names an element that the document does not have.    Evidence: No element matching 'ordre' found
    [Tags]    type:TEST_ERROR
    Get Element    <orders><order/></orders>    ordre

Argument That The Function Does Not Have
    [Documentation]    The team's library calls its own function with an argument that it does not have.
    ...    Evidence: got an unexpected keyword argument 'retries'
    [Tags]    type:TEST_ERROR    or:CODE_ERROR
    Connect As Before    https://shop.example

Environment Variable That Is Not Set
    [Documentation]    The environment lacks a variable.    Evidence: Environment variable '\%{SHOP_STAGE_URL}' not found
    [Tags]    type:CONFIG_ERROR
    Log    %{SHOP_STAGE_URL}

Settings File That Is Not There
    [Documentation]    The settings file is not on this machine.    Evidence: No such file or directory: '/etc/shop/stage.ini'
    [Tags]    type:CONFIG_ERROR
    Read Settings    /etc/shop/stage.ini

Program That Is Not Installed
    [Documentation]    The program is not installed on this machine.    Evidence: No such file or directory: 'shopctl-2'
    [Tags]    type:DEPENDENCY_ERROR    or:CONFIG_ERROR
    Run Process    shopctl-2    status

Folder Nobody May Write To
    [Documentation]    The user of the run may not write there.    Evidence: Permission denied: '/srv/shop/reports/today.txt'
    [Tags]    type:CONFIG_ERROR
    Write Report    /srv/shop/reports/today.txt    13

Discount Beyond The Table
    [Documentation]    The product's discount table is shorter than its code thinks.    Evidence: IndexError: list index out of range
    [Tags]    type:CODE_ERROR    or:TEST_ERROR
    Discount    ${100}

Basket Without A Total
    [Documentation]    The product fails inside.    Evidence: NullPointerException in com.example.shop.Basket.total
    [Tags]    type:CODE_ERROR
    Checkout    b-17

Disk That Is Full
    [Documentation]    The disk is full.    Evidence: [Errno 28] No space left on device
    [Tags]    type:INFRA_ERROR
    Write Report    /srv/shop/reports/today.txt    28

Memory That Is Used Up
    [Documentation]    The machine has no memory left.    Evidence: [Errno 12] Cannot allocate memory
    [Tags]    type:INFRA_ERROR
    Write Report    /srv/shop/reports/today.txt    12

Port That Is Taken
    [Documentation]    Another program holds the port.    Evidence: [Errno 98] Address already in use
    [Tags]    type:INFRA_ERROR    or:CONFIG_ERROR
    Write Report    /srv/shop/reports/today.txt    98

Values That Differ
    [Documentation]    Cannot be told: which of the two values is right is not in the text.    Evidence: 3.5 != 4.5
    [Tags]    type:CODE_ERROR    inferable:no
    ${price} =    Price Of    tea
    Should Be Equal As Numbers    ${price}    4.5
