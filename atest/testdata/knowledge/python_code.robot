*** Settings ***
Documentation       Every test fails on purpose; its tag names the document of the knowledge base that explains it.
Library             standins/Shop.py


*** Test Cases ***
Greet An Unknown Customer
    [Tags]    knowledge:python-none-attribute
    Greeting For    bob

Method Of Nothing
    [Tags]    knowledge:python-none-attribute
    Call Method    ${None}    close

Interface Of A Library Changed
    [Tags]    knowledge:python-call-signature
    Open Page As Before    https://shop.example

Sum With A Unit
    [Tags]    knowledge:python-type-mix
    Order Total    ${{ [{"price": 3.5}] }}

Sort Numbers And Records
    [Tags]    knowledge:python-type-mix
    Sort Mixed

Set In Json
    [Tags]    knowledge:python-type-mix
    Order As Json

No Orders
    [Tags]    knowledge:item-or-key-missing
    First Order    ${{ [] }}

Order Without A Customer
    [Tags]    knowledge:item-or-key-missing
    Customer Of    ${{ {"id": 3} }}

Price With A Unit
    [Tags]    knowledge:python-not-a-number
    Parse Price    12 EUR

Price Is Empty
    [Tags]    knowledge:python-not-a-number
    Read Price    ${EMPTY}

Letter In Another Encoding
    [Tags]    knowledge:encoding-error
    Read Letter

Letter For An Old System
    [Tags]    knowledge:encoding-error
    Write Letter

Day In Another Order
    [Tags]    knowledge:date-format-mismatch
    Parse Day    24.12.2024

Endless Categories
    [Tags]    knowledge:python-recursion
    Walk    shoes

Name Was Removed From Python
    [Tags]    knowledge:python-cannot-import-name
    Arguments Of    ${{ len }}

Name Was Moved In Python
    [Tags]    knowledge:python-cannot-import-name
    Import Moved Name

Colon Is Missing
    [Tags]    knowledge:python-syntax-error
    Compile Broken Code

Indent Is Missing
    [Tags]    knowledge:python-syntax-error
    Compile Badly Indented Code
