"""Stand-in for the Browser library (Playwright)."""

from scripted import Scripted, error

_LOGS = "\n=========================== logs ===========================\n{}\n" + "=" * 60
_ENDINGS = {
    ("New Browser", "firefox"): error(
        "Error",
        "browserType.launch: Executable doesn't exist at /home/ci/.cache/ms-playwright/firefox-1471/firefox/firefox\n"
        "╔═════════════════════════════════╗\n║ Looks like Playwright was just installed or updated. ║\n"
        "║     npx playwright install      ║\n╚═════════════════════════════════╝",
    ),
    ("New Browser", "chromium"): error(
        "Error",
        "browserType.launch: \n╔════╗\n║ Looks like you launched a headed browser without having a XServer running. ║\n"
        "║ Set either 'headless: true' or use 'xvfb-run <your-playwright-app>' before running Playwright. ║\n╚════╝",
    ),
    ("Click", "text=Delete"): error(
        "Error",
        "locator.click: Error: strict mode violation: locator('text=Delete') resolved to 4 elements:\n"
        '    1) <button class="delete">Delete</button> aka getByRole(...)\n' + _LOGS.format("waiting for locator('text=Delete')"),
    ),
    ("Click", "id=save"): error(
        "TimeoutError", "locator.click: Timeout 10000ms exceeded." + _LOGS.format("waiting for locator('id=save')")
    ),
    ("Get Text", "h1"): error("AssertionError", "Text 'Bad gateway' (str) should be 'Orders' (str)"),
    ("Go To", "https://shop.example/reports"): error("ConnectionError", "Playwright process has been terminated with code 137"),
    ("Fill Text", "id=name"): error("Error", "Could not find active page"),
}


class Browser(Scripted):
    def __init__(self):
        super().__init__(_ENDINGS, ("New Page", "Close Browser"))
