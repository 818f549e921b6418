*** Settings ***
Documentation       Web pages, with stand-ins that fail as the Browser library does.
Library             libraries/Browser.py


*** Test Cases ***
Browser That Is Not Installed
    [Documentation]    The browser was not installed after an update.    Evidence: Executable doesn't exist at
    [Tags]    type:DEPENDENCY_ERROR
    New Browser    firefox

Browser Without A Display
    [Documentation]    A browser with windows is started where there is no display.
    ...    Evidence: Looks like you launched a headed browser without having a XServer running
    [Tags]    type:CONFIG_ERROR
    New Browser    chromium

Selector That Matches Several
    [Documentation]    The selector matches four elements.    Evidence: strict mode violation
    [Tags]    type:TEST_ERROR
    Click    text=Delete

Selector That Matches Nothing
    [Documentation]    The selector matches nothing in time.    Evidence: locator.click: Timeout 10000ms exceeded
    [Tags]    type:TEST_ERROR
    Click    id=save

Proxy In Place Of The Page
    [Documentation]    A proxy answers in place of the application.    Evidence: Text 'Bad gateway' (str) should be 'Orders'
    [Tags]    type:INFRA_ERROR
    Get Text    h1

Node Process That Was Killed
    [Documentation]    The process behind the library was killed.    Evidence: Playwright process has been terminated with code 137
    [Tags]    type:INFRA_ERROR
    Go To    https://shop.example/reports

Page Never Opened
    [Documentation]    No page was opened before.    Evidence: Could not find active page
    [Tags]    type:TEST_ERROR
    Fill Text    id=name
