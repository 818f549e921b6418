*** Settings ***
Documentation       Web pages, with stand-ins that fail as SeleniumLibrary does.
Library             libraries/SeleniumLibrary.py


*** Test Cases ***
Driver Of Another Version
    [Documentation]    The driver does not fit the browser.    Evidence: This version of ChromeDriver only supports Chrome version 120
    [Tags]    type:DEPENDENCY_ERROR
    Open Browser    https://shop.example/old-driver

Driver That Is Not There
    [Documentation]    There is no driver on this machine.    Evidence: Unable to obtain driver for chrome
    [Tags]    type:DEPENDENCY_ERROR
    Open Browser    https://shop.example/no-driver

Profile That Is In Use
    [Documentation]    Two browsers share one profile folder.    Evidence: user data directory is already in use
    [Tags]    type:CONFIG_ERROR
    Open Browser    https://shop.example/no-sandbox

Application That Is Not Running
    [Documentation]    The application does not run.    Evidence: net::ERR_CONNECTION_REFUSED
    [Tags]    type:INFRA_ERROR
    Open Browser    http://localhost:4000/

Stage Whose Name Is Not Known
    [Documentation]    The host of the stage has no address.    Evidence: net::ERR_NAME_NOT_RESOLVED
    [Tags]    type:INFRA_ERROR    or:CONFIG_ERROR
    Open Browser    https://shop-stage.example/

Locator That Matches Nothing
    [Documentation]    The locator matches nothing.    Evidence: Element with locator 'id:pay-now' not found
    [Tags]    type:TEST_ERROR
    Click Element    id:pay-now

Element That Was Replaced
    [Documentation]    The page replaced the element after it was found.    Evidence: stale element reference
    [Tags]    type:TEST_ERROR
    Click Element    css:.basket

Element Below A Popup
    [Documentation]    A popup covers the element.    Evidence: element click intercepted
    [Tags]    type:TEST_ERROR
    Click Element    css:#order

Locator That Is Not Valid
    [Documentation]    The XPath lacks a bracket.    Evidence: is not a valid XPath expression
    [Tags]    type:TEST_ERROR
    Click Element    xpath://div[@id='a'

Tab That Crashed
    [Documentation]    The browser's tab crashed.    Evidence: session deleted because of page crash
    [Tags]    type:INFRA_ERROR
    Click Element    id:search

Element That Comes Too Late
    [Documentation]    The element is not visible in time.    Evidence: Element 'id:receipt' not visible after 5 seconds
    [Tags]    type:TEST_ERROR
    Wait Until Element Is Visible    id:receipt

Page That Failed Inside
    [Documentation]    The login service failed inside, so the page never greets.    Evidence: HTTP 500 Internal Server Error
    [Tags]    type:CODE_ERROR
    Wait Until Page Contains    Welcome back
