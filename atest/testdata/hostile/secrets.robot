*** Settings ***
Documentation       Failures whose arguments, variables, logs and messages hold secrets.
Library             Secrets.py
Suite Setup         Know The Password


*** Test Cases ***
Password In An Argument And The Message
    Sign In    alice    ${DB PASSWORD}

Headers In The Message
    Call Service

Tokens In The Message
    Show Keys

Private Key In The Message
    Show Private Key

Secret Of The Environment
    Show    environment

Secret Of The User's Own Kind
    Show    custom

Secret In An Assertion
    ${answer} =    Secret    password
    Should Be Equal    ${answer}    ${DB PASSWORD}x


*** Keywords ***
Know The Password
    ${password} =    Secret    password
    VAR    ${DB PASSWORD}    ${password}    scope=SUITE
