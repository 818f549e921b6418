"""Stand-in for SeleniumLibrary."""

from scripted import Scripted, error

_SESSION = "\n  (Session info: chrome=133.0.6943.54)\nStacktrace:\n#0 0x5566f0a1 <unknown>\n#1 0x5566f0b2 <unknown>"
_ENDINGS = {
    ("Open Browser", "https://shop.example/old-driver"): error(
        "SessionNotCreatedException",
        "Message: session not created: This version of ChromeDriver only supports Chrome version 120\n"
        "Current browser version is 133.0.6943.54 with binary path /opt/google/chrome/chrome" + _SESSION,
    ),
    ("Open Browser", "https://shop.example/no-driver"): error(
        "NoSuchDriverException", "Message: Unable to obtain driver for chrome; For documentation on this error, please visit: ..."
    ),
    ("Open Browser", "https://shop.example/no-sandbox"): error(
        "SessionNotCreatedException",
        "Message: session not created: probably user data directory is already in use, please specify a unique value for "
        "--user-data-dir argument" + _SESSION,
    ),
    ("Open Browser", "http://localhost:4000/"): error(
        "WebDriverException", "Message: unknown error: net::ERR_CONNECTION_REFUSED" + _SESSION
    ),
    ("Open Browser", "https://shop-stage.example/"): error(
        "WebDriverException", "Message: unknown error: net::ERR_NAME_NOT_RESOLVED" + _SESSION
    ),
    ("Click Element", "id:pay-now"): error("ElementNotFound", "Element with locator 'id:pay-now' not found."),
    ("Click Element", "css:.basket"): error(
        "StaleElementReferenceException",
        "Message: stale element reference: stale element not found in the current frame" + _SESSION,
    ),
    ("Click Element", "css:#order"): error(
        "ElementClickInterceptedException",
        'Message: element click intercepted: Element <button id="order">...</button> is not clickable at point (310, 622). Other '
        'element would receive the click: <div class="newsletter-popup">...</div>' + _SESSION,
    ),
    ("Click Element", "xpath://div[@id='a'"): error(
        "InvalidSelectorException",
        "Message: invalid selector: Unable to locate an element with the xpath expression //div[@id='a' because of the following "
        "error:\nSyntaxError: Failed to execute 'evaluate' on 'Document': The string '//div[@id='a'' is not a valid XPath "
        "expression." + _SESSION,
    ),
    ("Click Element", "id:search"): error(
        "WebDriverException", "Message: unknown error: session deleted because of page crash\nfrom tab crashed"
    ),
    ("Wait Until Element Is Visible", "id:receipt"): [
        "INFO: Waiting for the receipt.",
        AssertionError("Element 'id:receipt' not visible after 5 seconds."),
    ],
    ("Wait Until Page Contains", "Welcome back"): [
        "INFO: Opening url 'https://shop.example/account'",
        "WARN: Browser console: POST https://shop.example/api/login 500 (Internal Server Error)",
        "INFO: The page says: HTTP 500 Internal Server Error",
        AssertionError("Text 'Welcome back' did not appear in 10 seconds."),
    ],
}


class SeleniumLibrary(Scripted):
    def __init__(self):
        super().__init__(_ENDINGS, ("Close Browser", "Input Text", "Go To"))
