*** Settings ***
Documentation       Somebody outside does something in the middle of it.
Library             Odd.py


*** Test Cases ***
Fails Before
    Fail    The first one.

Waits
    Tell And Wait    ${OUTPUT DIR}${/}waiting    ${OUTPUT DIR}${/}go

Fails Then
    Should Be Equal    one    two

Fails Like Before
    Fail    The first one.
