*** Settings ***
Documentation       Libraries that do what they must not do. Each test fails, or makes the next one fail in odd surroundings.
Library             Odd.py


*** Test Cases ***
Changes The Locale
    Change The Locale
    Fail    Der Preis ist 1,5 €.

Loses The Working Directory
    Lose The Working Directory
    Fail    Nobody knows where we are.

Writes Bytes That Are No UTF-8
    Write Bytes That Are No UTF 8
    Fail    Something was written.

Calls Itself
    Call Itself

Keyword Calls Itself
    Go Round

Fails With NUL
    Fail With NUL

Fails In A Text That Raises
    Fail In A Text That Raises

Forks And Fails
    Fork And Fail

Leaves A Thread Behind
    Leave A Thread Behind

<b>Named</b> & "quoted" 'so' ]]> [link|http://127.0.0.1:9/x.png] ${EMPTY}
    Fail    <script>alert(1)</script> & ]]> <!-- *bold* [javascript:alert(1)|x]

Runs Out Of Time
    [Timeout]    100 milliseconds
    Sleep    5 s

Closes Stderr
    Close Stderr
    Fail    Nobody hears.

Fails After All That
    Should Be Equal    one    two


*** Keywords ***
Go Round
    Go Round
