*** Settings ***
Documentation       Every test fails on purpose; its tag names the document of the knowledge base that explains it.
Library             standins/SeleniumLibrary.py


*** Test Cases ***
Check Out After The Button Was Renamed
    [Tags]    knowledge:selenium-element-not-found
    Open Browser    https://shop.example/cart    headlesschrome
    Click Element    data:test-id:checkout

Redeem A Coupon
    [Tags]    knowledge:selenium-element-not-found
    Open Browser    https://shop.example/cart    headlessfirefox
    Input Text    name:coupon    SUMMER

Confirmation Comes Too Late
    [Tags]    knowledge:selenium-element-not-visible-in-time
    Click Button    Order
    Wait Until Element Is Visible    css:.order-confirmation    20s

Thank You Text Is Missing
    [Tags]    knowledge:selenium-element-not-visible-in-time
    Click Button    Order
    Wait Until Page Contains    Thank you for your order    15s

Open The First Invoice
    [Tags]    knowledge:selenium-stale-element
    Click Link    Invoices
    Click Element    css:tr.invoice:first-child

Total Is Updated
    [Tags]    knowledge:selenium-stale-element
    Input Text    id:amount    3
    Get Text    css:#total

Buy With One Click
    [Tags]    knowledge:selenium-click-intercepted
    Click Button    Buy now

Change The Avatar
    [Tags]    knowledge:selenium-element-not-interactable
    Input Text    css:#avatar    me.png

Delete The Account
    [Tags]    knowledge:selenium-unexpected-alert
    Click Link    Delete account

Confirm The Deletion
    [Tags]    knowledge:selenium-unexpected-alert
    Handle Alert    ACCEPT    timeout=3s

Screenshot After The End
    [Tags]    knowledge:selenium-no-browser-open
    Close Browser
    Capture Page Screenshot    final.png

Look Through The Gallery
    [Tags]    knowledge:browser-tab-crashed
    Go To    https://shop.example/gallery

Title After The Crash
    [Tags]    knowledge:browser-tab-crashed
    Get Title

Pay In A Popup
    [Tags]    knowledge:selenium-window-closed
    Click Button    Pay with Wallet

Read The Receipt
    [Tags]    knowledge:selenium-window-closed
    Switch Window    title:Receipt

Enter The Card Number
    [Tags]    knowledge:selenium-frame-not-found
    Select Frame    css:div.payment

Open The Yearly Report
    [Tags]    knowledge:selenium-page-load-timeout
    Go To    https://shop.example/report?year=2024

Open The Menu By Script
    [Tags]    knowledge:selenium-javascript-error
    Execute Javascript    document.querySelector('#menu').click()

Browser Updated Itself
    [Tags]    knowledge:chromedriver-version-mismatch
    Open Browser    https://shop.example/?driver=old    chrome

Chrome As Root
    [Tags]    knowledge:chrome-failed-to-start
    Open Browser    https://shop.example/?user=root    chrome

Shared Profile
    [Tags]    knowledge:chrome-profile-in-use
    Open Browser    https://shop.example/?profile=shared    chrome

No Firefox Driver
    [Tags]    knowledge:webdriver-not-found
    Open Browser    https://shop.example/?driver=none    firefox

Selenium Manager Without Network
    [Tags]    knowledge:webdriver-not-found
    Open Browser    https://shop.example/?manager=offline    edge

No Firefox
    [Tags]    knowledge:browser-binary-not-found
    Open Browser    https://shop.example/?browser=none    firefox

No Chrome
    [Tags]    knowledge:browser-binary-not-found
    Open Browser    https://shop.example/?chrome=none    chrome

No Screen
    [Tags]    knowledge:browser-no-display
    Open Browser    https://shop.example/?display=none    firefox

Grid Without A Free Node
    [Tags]    knowledge:selenium-grid-no-node
    Open Browser    https://shop.example/?grid=busy    chrome    remote_url=http://grid:4444

Broken XPath
    [Tags]    knowledge:selenium-invalid-locator
    Click Element    xpath://a[contains(text(), 'Next]

Choose The Country
    [Tags]    knowledge:selenium-list-option-missing
    Select From List By Label    id:country    Deutschland

Upload The Contract
    [Tags]    knowledge:selenium-upload-file-missing
    Choose File    css:input[type=file]    /builds/shop/files/contract.pdf

Cart Total With Discount
    [Tags]    knowledge:page-text-mismatch
    Element Should Contain    css:.cart-total    19.90

Orders Page Opens
    [Tags]    knowledge:page-text-mismatch
    Title Should Be    My orders

Intranet With Its Own Certificate
    [Tags]    knowledge:browser-certificate-error
    Go To    https://intranet.example/

Development Server Is Not Started
    [Tags]    knowledge:browser-site-unreachable
    Go To    http://localhost:5173/
