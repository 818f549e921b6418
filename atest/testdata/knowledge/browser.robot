*** Settings ***
Documentation       Every test fails on purpose; its tag names the document of the knowledge base that explains it.
Library             standins/Browser.py


*** Test Cases ***
WebKit Is Not Installed
    [Tags]    knowledge:playwright-browsers-not-installed
    New Browser    webkit    headless=True

Node Is Not Installed
    [Tags]    knowledge:browser-node-missing
    Import Browser    no node

Firefox Lacks Libraries
    [Tags]    knowledge:playwright-host-dependencies
    New Browser    firefox    headless=True

Add To Cart
    [Tags]    knowledge:browser-locator-timeout
    New Page    https://shop.example/
    Click    css=button.add-to-cart

Balance Is Shown
    [Tags]    knowledge:browser-locator-timeout
    Get Text    text=Your balance

Open A Product
    [Tags]    knowledge:browser-strict-mode
    Click    css=.product a

Submit Under A Toast
    [Tags]    knowledge:browser-element-covered
    Click    id=submit-order

Continue With An Empty Form
    [Tags]    knowledge:browser-element-disabled
    Click    text=Continue

Print And Close
    [Tags]    knowledge:browser-target-closed
    Click    text=Print

Headline After A Crash
    [Tags]    knowledge:browser-playwright-process-died
    Get Text    h1

Fill Without A Page
    [Tags]    knowledge:browser-no-page-open
    Fill Text    id=name    Ann

User Name During A Redirect
    [Tags]    knowledge:browser-navigation-context-destroyed
    Get Text    css=.user

Staging With An Unknown Authority
    [Tags]    knowledge:browser-certificate-error
    New Page    https://staging.example/

Container Name From Outside
    [Tags]    knowledge:browser-site-unreachable
    New Page    http://web:8080/

Window On A Server
    [Tags]    knowledge:browser-no-display
    New Browser    chromium    headless=False
