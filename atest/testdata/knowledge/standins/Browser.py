"""Stand-in for the Browser library, with the messages of Playwright and of the library's own process."""

from scripted import Scripted, error

KEYWORDS = ("New Browser", "New Context", "New Page", "Fill Text", "Click", "Get Text")
ENDINGS = {
    ("New Browser", "webkit"): AssertionError(
        "browserType.launch: Executable doesn't exist at /home/ci/.cache/ms-playwright/webkit-2105/pw_run.sh\n"
        "╔═════════════════════════════════════════════════════════════════════════╗\n"
        "║ Looks like Playwright Test or Playwright was just installed or updated. ║\n"
        "║ Please run the following command to download new browsers:              ║\n"
        "║     npx playwright install                                              ║\n"
        "╚═════════════════════════════════════════════════════════════════════════╝"
    ),
    ("Import Browser", "no node"): RuntimeError(
        "Initializing library 'Browser' with no arguments failed: Couldn't execute node. Please ensure you have node.js "
        "installed and in PATH. See https://nodejs.org/ for instructions. Original error is [Errno 2] No such file or "
        "directory: 'node'"
    ),
    ("New Browser", "firefox"): AssertionError(
        "browserType.launch: \n"
        "╔══════════════════════════════════════════════════════╗\n"
        "║ Host system is missing dependencies to run browsers. ║\n"
        "║ Please install them with the following command:      ║\n"
        "║     sudo npx playwright install-deps                 ║\n"
        "╚══════════════════════════════════════════════════════╝"
    ),
    ("Click", "css=button.add-to-cart"): AssertionError(
        "TimeoutError: locator.click: Timeout 15000ms exceeded.\nCall log:\n  - waiting for locator('css=button.add-to-cart')\n"
    ),
    ("Get Text", "text=Your balance"): AssertionError(
        "TimeoutError: locator.elementHandle: Timeout 10000ms exceeded.\nCall log:\n"
        "  - waiting for locator('text=Your balance') to be attached\n"
    ),
    ("Click", "css=.product a"): AssertionError(
        "Error: locator.click: Error: strict mode violation: locator('css=.product a') resolved to 12 elements:\n"
        "    1) <a href=\"/p/1\">Lamp</a> aka getByRole('link', { name: 'Lamp' })\n"
        "    2) <a href=\"/p/2\">Chair</a> aka getByRole('link', { name: 'Chair' })\n"
    ),
    ("Click", "id=submit-order"): AssertionError(
        "TimeoutError: locator.click: Timeout 10000ms exceeded.\nCall log:\n  - waiting for locator('id=submit-order')\n"
        '  -   locator resolved to <button id="submit-order">Order</button>\n  - attempting click action\n'
        "  -   waiting for element to be visible, enabled and stable\n  -   element is visible, enabled and stable\n"
        '  -   <div class="toast">Saved</div> from <div id="toasts">…</div> subtree intercepts pointer events\n'
        "  - retrying click action\n"
    ),
    ("Click", "text=Continue"): AssertionError(
        "TimeoutError: locator.click: Timeout 10000ms exceeded.\nCall log:\n  - waiting for locator('text=Continue')\n"
        "  -   locator resolved to <button disabled>Continue</button>\n  - attempting click action\n"
        "  -   waiting for element to be visible, enabled and stable\n  -   element is not enabled\n  - retrying click action\n"
    ),
    ("Click", "text=Print"): AssertionError("locator.click: Target page, context or browser has been closed"),
    ("Get Text", "h1"): error("ConnectionError", "Playwright process has been terminated with code 134"),
    ("Fill Text", "id=name"): AssertionError("Error: No page open."),
    ("Get Text", "css=.user"): AssertionError(
        "locator.evaluate: Execution context was destroyed, most likely because of a navigation"
    ),
    ("New Page", "https://staging.example/"): AssertionError(
        "page.goto: net::ERR_CERT_AUTHORITY_INVALID at https://staging.example/\nCall log:\n"
        '  - navigating to "https://staging.example/", waiting until "load"\n'
    ),
    ("New Page", "http://web:8080/"): AssertionError(
        "page.goto: net::ERR_NAME_NOT_RESOLVED at http://web:8080/\nCall log:\n"
        '  - navigating to "http://web:8080/", waiting until "load"\n'
    ),
    ("New Browser", "chromium"): AssertionError(
        "browserType.launch: Target page, context or browser has been closed\nBrowser logs:\n"
        "Looks like you launched a headed browser without having a XServer running.\n"
        "Set either 'headless: true' or use 'xvfb-run <your-playwright-app>' before running Playwright."
    ),
}


class Browser(Scripted):
    def __init__(self):
        super().__init__(ENDINGS, KEYWORDS)
