"""Drivers of browsers and phones: chromedriver and its like, grids, Appium, Selenium as their client."""

from .engine import CAUSE, CONFIG, DEPENDENCY, FATAL, GENERAL, INFRA, PRECISE, TEST, Rule, anywhere, loaded, running, said

_DRIVERS = "chromedriver|geckodriver|msedgedriver|edgedriver|iedriverserver|safaridriver|operadriver"
_SCRIPT_STARTED = said(
    r"(?:Exec format error|WinError 193\][^\n]{0,80}): '(?P<script>[^'\n]{1,200}\.(?:py|sh|js|rb|pl|ps1|robot))'",
    "exec format error|winerror 193]",
)
_PAGE_IS_OPEN = said(  # so a driver and a browser were found, whatever the log says of an attempt before
    r"\b(?:Element|Button|Link|Image|Text|Page|Location|Title|List|Checkbox|Radio button)\b[^\n]{0,300}"
    r"(?:not found|did not (?:appear|contain|match)|not visible|not enabled|should (?:not )?have)|StaleElement|NoSuchElement",
    "not found|did not |not visible|not enabled|should have|should not have|staleelement|nosuchelement",
)

RULES = (
    Rule(
        "driver-version-mismatch",
        DEPENDENCY,
        FATAL + 2,
        0.95,
        (
            anywhere(
                r"This version of (?P<driver>[\w ]{1,40}) only supports (?P<browser>[\w ]{1,30}) version "
                r"(?P<version>[\d.]{1,20})|supports only (?:Chrome|Edge) version"
                r"|[Cc]hrome version must be (?:between|>=)[^\n]{1,40}|browser and driver versions? (?:do not|don't) match",
                "only supports|supports only|version must be|versions",
            ),
        ),
        cause="The browser driver was made for another version of the browser than the one installed.",
        advice="Install the driver of the browser's major version (Selenium >= 4.6 finds it by itself when no driver is on PATH).",
        unless=(_PAGE_IS_OPEN,),
        support=(anywhere(r"Current browser version is [^\n]{1,80}", "current browser version"),),
    ),
    Rule(
        "driver-too-old-for-browser",
        DEPENDENCY,
        PRECISE + 4,
        0.85,
        (
            said(
                r"createNSResolver|Runtime\.(?:evaluate|callFunctionOn) threw exception"
                r"|unhandled inspector error: \{\"code\":-3260[0-2]\b"
                r"|cannot determine loading status(?! from disconnected)|call function result missing 'value'"
                r"|unknown command: 'Page\.\w{1,40}' wasn't found|missing or invalid 'entry\.level'"
                r"|Runtime\.executionContextCreated has invalid",
                "creatensresolver|threw exception|inspector error|loading status|result missing|wasn't found|entry.level"
                "|has invalid",
            ),
        ),
        cause="The browser driver is too old for the installed browser: what it sends is no longer understood there.",
        advice="Install the driver of the browser's major version.",
        support=(said(r"Driver info: [^\n]{1,120}", "driver info"),),
    ),
    Rule(
        "driver-not-found",
        DEPENDENCY,
        FATAL + 1,
        0.9,
        (
            anywhere(
                rf"'?(?:{_DRIVERS})(?:\.exe)?'? executable needs to be in PATH"
                rf"|Unable to (?:obtain|locate or obtain) driver[^\n]{{0,120}}|NoSuchDriverException"
                r"|Selenium Manager failed[^\n]{0,160}|The chromedriver version cannot be discovered"
                r"|Unable to find a suitable (?:chrome|gecko|edge)driver",
                "executable |obtain driver|nosuchdriver|selenium manager|cannot be discovered|suitable",
            ),
        ),
        cause="No driver for the browser could be found or obtained on this machine.",
        advice="Install the driver of the browser's version and put it on PATH, or let Selenium Manager download it (it needs "
        "network access).",
        unless=(_PAGE_IS_OPEN,),
        support=(said(r"version cannot be discovered", "cannot be discovered"),),
    ),
    Rule(
        "driver-cannot-run",
        DEPENDENCY,
        FATAL,
        0.74,
        (
            anywhere(
                r"Service \S{1,200} unexpectedly exited\. Status code was: [^\n]{1,20}|Exec format error"
                r"|Bad CPU type in executable|WinError 193\]",
                "unexpectedly exited|exec format|bad cpu type|winerror 193",
            ),
        ),
        cause="The browser driver (or another program) cannot run on this machine: libraries are missing, or it was built for "
        "another system.",
        advice="Start it by hand to see its message, then install what it lacks or the build for this system.",
        unless=(_SCRIPT_STARTED,),
    ),
    Rule(
        "driver-command-unknown",
        DEPENDENCY,
        PRECISE + 2,
        0.68,
        (
            said(
                r"unknown command: (?:unknown command: )?(?:session/|POST /session|GET /session|Cannot call non.W3C)[^\n]{0,120}",
                "unknown command",
            ),
        ),
        cause="The test's client sends a command that the driver (or grid) does not know, so their versions do not fit together.",
        advice="Install versions of Selenium, grid and driver that speak the same protocol.",
    ),
    Rule(
        "script-without-interpreter",
        TEST,
        PRECISE + 4,
        0.74,
        (_SCRIPT_STARTED,),
        cause="The script '{script}' is started as if it were a program, but nothing says what runs it.",
        advice="Start its interpreter with the script as first argument, or give it a first line such as '#!/usr/bin/env python3'.",
    ),
    Rule(
        "selenium-grid-unavailable",
        INFRA,
        FATAL - 2,
        0.78,
        (
            anywhere(
                r"Could not start a new session\. [^\n]{1,160}|Error forwarding the new session|Empty pool of VM"
                r"|Session timed out or not found|SessionNotCreatedException: [^\n]{0,60}(?:timed out|timeout)"
                r"|Can not connect to the Service|Unable to create new (?:remote )?session",
                "new session|empty pool|session timed out|sessionnotcreated|connect to the service|remote session",
            ),
        ),
        cause="The driver or Selenium grid could not give the test a browser session.",
        advice="See the grid's nodes and queue (or the driver's log): no free browser of the wanted kind is the usual reason.",
        unless=(said(r"only supports|cannot find", "only supports|cannot find"),),
    ),
    Rule(
        "selenium-api-changed",
        DEPENDENCY,
        CAUSE,
        0.88,
        (
            loaded(
                r"'(?:WebDriver|Options|ChromeOptions|FirefoxOptions|EdgeOptions|WebElement"
                r"|Remote)' object has no attribute '\w{1,60}'|find_elements?_by_\w{1,30}|(?:WebDriver"
                r"|Remote)?\.?__init__\(\) got an unexpected keyword argument '(?:service_log_path|executable_path"
                r"|desired_capabilities|chrome_options|firefox_options|firefox_profile|service_args|capabilities|log_path"
                r"|options|browser_profile|firefox_binary)'|Timeout value connect was <object object|use_2to3"
                r"|module 'selenium\.\w{1,40}[^\n]{0,40}has no attribute|'capabilities' must be"
                r"|desired_capabilities' ?is (?:no longer|not) supported",
                "object has no attribute|find_element|unexpected keyword|timeout value connect|has no attribute|capabilities",
            ),
        ),
        cause="The installed Selenium (or a package under it) has another interface than the code that calls it was written for.",
        advice="Install versions of selenium, urllib3 and the Robot library that belong together, and pin them.",
    ),
    Rule(
        "app-or-device-misconfigured",
        CONFIG,
        PRECISE + 2,
        0.78,
        (
            said(
                r"ANDROID_(?:HOME|SDK_ROOT)[^\n]{0,60}(?:not (?:set|exported)|environment variable)"
                r"|application at '[^'\n]{1,160}' does not exist|Activity used to start app doesn't exist"
                r"|Unknown device or simulator UDID|bundle identifier[^\n]{0,60}(?:unknown|not)"
                r"|The desired capabilities must include|Could not find '?(?:adb|aapt2?|emulator|apksigner|zipalign|xcodebuild)\b"
                r"|Do you have Android Build Tools installed",
                "android_|application at|activity used|simulator udid|bundle identifier|desired capabilities must|could not find "
                "|android build tools",
            ),
        ),
        cause="The capabilities for Appium do not fit this machine: a missing SDK, app, activity or device.",
        advice="Correct the capability named in the message for this machine.",
    ),
    Rule(
        "webdriver-address-wrong",
        CONFIG,
        PRECISE + 2,
        0.74,
        (
            said(
                r"The requested resource could not be found, or a request was received using an HTTP method"
                r"|Unable to find handler for \(\w{3,6}\) [^\n]{1,60}|Cannot (?:POST|GET) /(?:wd/hub/)?session"
                r"|Unable to parse remote response: (?:Not Found|<)",
                "requested resource could not be found|find handler for|cannot post|cannot get|parse remote response",
            ),
        ),
        cause="The driver's server is asked under a path that it does not serve: its address lacks '/wd/hub', or has it too much.",
        advice="Give the address the server's own base path (Appium 2 and Selenium 4 have none, Appium 1 has /wd/hub), or start "
        "the server with that base path.",
    ),
    Rule(
        "driver-answer-not-understood",
        DEPENDENCY,
        GENERAL + 1,
        0.54,
        (
            said(
                r"KeyError: '(?P<key>value|status|sessionId|ELEMENT|element-6066[\w\-]{1,40}|platformName|browserName|capabilities"
                r"|webdriver\.remote\.\w{1,20}|\w{1,40}Id)'",
                "keyerror",
            ),
            running(r"(?:Selenium2?|Appium|ExtendedSelenium\w{0,3})Library\.", "library."),
        ),
        cause="What the driver answered lacks '{key}', which the library needs: library, client and driver do not fit together.",
        advice="Install versions of the library, its client and the driver that were released for each other.",
    ),
    Rule(
        "appium-driver-missing",
        DEPENDENCY,
        PRECISE + 2,
        0.85,
        (
            said(
                r"Could not find a driver for automationName|No driver found|'appium:automationName' capability",
                "automationname|no driver found",
            ),
        ),
        cause="The Appium server does not have the driver the test asks for.",
        advice="Install it on the server (appium driver install ...), or correct automationName.",
    ),
)
