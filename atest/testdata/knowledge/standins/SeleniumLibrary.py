"""Stand-in for SeleniumLibrary, with the messages of Selenium, ChromeDriver and geckodriver."""

from scripted import Scripted, error

STACK = "\nStacktrace:\n#0 0x55d0c1a3e64d <unknown>\n#1 0x55d0c17a2f3c <unknown>"

KEYWORDS = ("Open Browser", "Click Button", "Input Text", "Click Link", "Close Browser", "Capture Page Screenshot", "Go To")
ENDINGS = {
    ("Click Element", "data:test-id:checkout"): error("ElementNotFound", "Element with locator 'data:test-id:checkout' not found."),
    ("Input Text", "name:coupon"): error(
        "NoSuchElementException",
        'Message: Unable to locate element: [name="coupon"]; For documentation on this error, please visit: '
        "https://www.selenium.dev/documentation/webdriver/troubleshooting/errors#no-such-element-exception",
    ),
    ("Wait Until Element Is Visible", "css:.order-confirmation"): AssertionError(
        "Element 'css:.order-confirmation' not visible after 20 seconds."
    ),
    ("Wait Until Page Contains", "Thank you for your order"): AssertionError(
        "Text 'Thank you for your order' did not appear in 15 seconds."
    ),
    ("Click Element", "css:tr.invoice:first-child"): error(
        "StaleElementReferenceException",
        "Message: stale element reference: stale element not found\n  (Session info: chrome=131.0.6778.85)" + STACK,
    ),
    ("Get Text", "css:#total"): error(
        "StaleElementReferenceException",
        "Message: The element with the reference 4e1c7ac2-09a5-4d3b-8dd2-0b5ad1d4d8a0 is stale; either its node document "
        "is not the active document, or it is no longer connected to the DOM",
    ),
    ("Click Button", "Buy now"): error(
        "ElementClickInterceptedException",
        'Message: element click intercepted: Element <button class="buy">...</button> is not clickable at point (613, 841). '
        'Other element would receive the click: <div id="cookie-consent">...</div>\n  (Session info: chrome=131.0.6778.85)' + STACK,
    ),
    ("Input Text", "css:#avatar"): error(
        "ElementNotInteractableException",
        "Message: element not interactable\n  (Session info: chrome-headless-shell=129.0.6668.58)" + STACK,
    ),
    ("Click Link", "Delete account"): error(
        "UnexpectedAlertPresentException",
        "Alert Text: Do you really want to leave us?\nMessage: unexpected alert open: {Alert text : Do you really want to "
        "leave us?}" + STACK,
    ),
    ("Handle Alert", "ACCEPT"): AssertionError("Alert not found in 3 seconds."),
    ("Capture Page Screenshot", "final.png"): error("NoOpenBrowser", "No browser is open."),
    ("Go To", "https://shop.example/gallery"): error(
        "WebDriverException", "Message: unknown error: session deleted because of page crash\nfrom tab crashed" + STACK
    ),
    ("Get Title", ""): error(
        "InvalidSessionIdException",
        "Message: invalid session id: session deleted as the browser has closed the connection\n"
        "from disconnected: not connected to DevTools" + STACK,
    ),
    ("Click Button", "Pay with Wallet"): error(
        "NoSuchWindowException",
        "Message: no such window: target window already closed\nfrom unknown error: web view not found" + STACK,
    ),
    ("Switch Window", "title:Receipt"): error(
        "WindowNotFound", "No window matching handle, name, title or URL 'title:Receipt' found."
    ),
    ("Select Frame", "css:div.payment"): error(
        "NoSuchFrameException", "Message: no such frame: element is not a frame\n  (Session info: chrome=131.0.6778.85)" + STACK
    ),
    ("Go To", "https://shop.example/report?year=2024"): error(
        "TimeoutException", "Message: timeout: Timed out receiving message from renderer: 119.871" + STACK
    ),
    ("Execute Javascript", "document.querySelector('#menu').click()"): error(
        "JavascriptException",
        "Message: javascript error: Cannot read properties of null (reading 'click')\n  (Session info: chrome=131.0.6778.85)"
        + STACK,
    ),
    ("Open Browser", "https://shop.example/?driver=old"): error(
        "SessionNotCreatedException",
        "Message: session not created: This version of ChromeDriver only supports Chrome version 124\n"
        "Current browser version is 131.0.6778.85 with binary path /usr/bin/google-chrome" + STACK,
    ),
    ("Open Browser", "https://shop.example/?user=root"): error(
        "SessionNotCreatedException",
        "Message: session not created: Chrome failed to start: exited normally.\n  (session not created: DevToolsActivePort "
        "file doesn't exist)\n  (The process started from chrome location /usr/bin/chromium is no longer running, so "
        "ChromeDriver is assuming that Chrome has crashed.)" + STACK,
    ),
    ("Open Browser", "https://shop.example/?profile=shared"): error(
        "SessionNotCreatedException",
        "Message: session not created: probably user data directory is already in use, please specify a unique value for "
        "--user-data-dir argument, or don't use --user-data-dir" + STACK,
    ),
    ("Open Browser", "https://shop.example/?driver=none"): error(
        "WebDriverException",
        "Message: 'geckodriver' executable needs to be in PATH. Please see https://sites.google.com/a/chromium.org/",
    ),
    ("Open Browser", "https://shop.example/?manager=offline"): error(
        "NoSuchDriverException",
        "Message: Unable to obtain driver for MicrosoftEdge; For documentation on this error, please visit: "
        "https://www.selenium.dev/documentation/webdriver/troubleshooting/errors/driver_location",
    ),
    ("Open Browser", "https://shop.example/?browser=none"): error(
        "WebDriverException",
        "Message: Expected browser binary location, but unable to find binary in default location, no "
        "'moz:firefoxOptions.binary' capability provided, and no binary flag set on the command line",
    ),
    ("Open Browser", "https://shop.example/?chrome=none"): error(
        "WebDriverException", "Message: unknown error: cannot find Chrome binary" + STACK
    ),
    ("Open Browser", "https://shop.example/?display=none"): error(
        "WebDriverException",
        "Message: Process unexpectedly closed with status 1\nError: no DISPLAY environment variable specified",
    ),
    ("Open Browser", "https://shop.example/?grid=busy"): error(
        "SessionNotCreatedException",
        "Message: Could not start a new session. Could not start a new session. Unable to find provider for session\n"
        "Host info: host: 'selenium-hub-0', ip: '10.42.0.17'\nBuild info: version: '4.27.0'",
    ),
    ("Click Element", "xpath://a[contains(text(), 'Next]"): error(
        "InvalidSelectorException",
        "Message: invalid selector: Unable to locate an element with the xpath expression //a[contains(text(), 'Next] because "
        "of the following error:\nSyntaxError: Failed to execute 'evaluate' on 'Document': The string "
        "'//a[contains(text(), 'Next]' is not a valid XPath expression." + STACK,
    ),
    ("Select From List By Label", "id:country"): error(
        "NoSuchElementException",
        "Message: Could not locate element with visible text: Deutschland; For documentation on this error, please visit: "
        "https://www.selenium.dev/documentation/webdriver/troubleshooting/errors#no-such-element-exception",
    ),
    ("Choose File", "css:input[type=file]"): error(
        "InvalidArgumentException", "Message: invalid argument: File not found : /builds/shop/files/contract.pdf" + STACK
    ),
    ("Element Should Contain", "css:.cart-total"): AssertionError(
        "Element 'css:.cart-total' should have contained text '19.90' but its text was '24.90'."
    ),
    ("Title Should Be", "My orders"): AssertionError("Title should have been 'My orders' but was 'Sign in'."),
    ("Go To", "https://intranet.example/"): error(
        "InsecureCertificateException",
        "Message: \nStacktrace:\nInsecureCertificateError@chrome://remote/content/shared/webdriver/Errors.sys.mjs:417:5",
    ),
    ("Go To", "http://localhost:5173/"): error(
        "WebDriverException",
        "Message: unknown error: net::ERR_CONNECTION_REFUSED\n  (Session info: chrome=131.0.6778.85)" + STACK,
    ),
    ("Click Element", "id:save"): error("ElementNotFound", "Element with locator 'id:save' not found."),
}


class SeleniumLibrary(Scripted):
    def __init__(self):
        super().__init__(ENDINGS, KEYWORDS)
