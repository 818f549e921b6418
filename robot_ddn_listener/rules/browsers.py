"""Browsers as programs: those of SeleniumLibrary and of the Browser library (Playwright)."""

from .engine import CONFIG, DEPENDENCY, FATAL, GENERAL, INFRA, PRECISE, TEST, Rule, anywhere, logged, said, whole_run

RULES = (
    Rule(
        "playwright-browser-not-installed",
        DEPENDENCY,
        FATAL + 1,
        0.93,
        (
            anywhere(
                r"Executable doesn't exist at [^\n]{1,160}|playwright install|rfbrowser init"
                r"|Host system is missing (?:a few )?dependencies|browserType\.launch: [^\n]{0,60}spawn [^\n]{1,200}ENOENT"
                r"|browserType\.launch: [^\n]{0,60}(?:not found"
                r"|is not installed)",
                "executable doesn't exist|playwright install|rfbrowser init|missing dependencies|missing a few|browsertype.launch",
            ),
        ),
        cause="The browser that Playwright should start, or a system library it needs, is not installed on this machine.",
        advice="Run 'rfbrowser init' (after each update of the Browser library), with 'npx playwright install-deps' on Linux.",
        unless=(said(r"XServer", "xserver"),),
    ),
    Rule(
        "browser-binary-not-found",
        DEPENDENCY,
        FATAL + 1,
        0.87,
        (
            anywhere(
                r"cannot find (?:Chrome|MSEdge|msedge|Edge|Opera) binary|Expected browser binary location"
                r"|no (?:chrome|chromium|firefox) binary|binary is not a Firefox executable"
                r"|Unable to find a matching set of capabilities|Could not find (?:Firefox|Chrome|Edge) in your system PATH",
                "binary|matching set of capabilities|in your system path",
            ),
        ),
        cause="The browser is not installed on this machine, or not where its driver looks for it.",
        advice="Install the browser, or give the path of its binary in the options.",
    ),
    Rule(
        "browser-does-not-start",
        CONFIG,
        FATAL,
        0.66,
        (
            anywhere(
                r"DevToolsActivePort file doesn't exist|user data directory is already in use|Chrome failed to start"
                r"|Running as root without --no-sandbox|unrecognized (?:chrome|firefox) option|cannot parse capability"
                r"|unrecognized capability|invalid argument: (?:entry|cannot|unrecognized)"
                r"|\.launch: (?:Target page, context or )?browser (?:has been )?closed",
                "devtoolsactiveport|user data directory|failed to start|no-sandbox|unrecognized |parse capability|invalid argument"
                "|.launch: ",
            ),
        ),
        cause="The browser does not start with the options it is given on this machine.",
        advice="In a container start it headless with --no-sandbox and --disable-dev-shm-usage, and give each process its own "
        "--user-data-dir.",
    ),
    Rule(
        "playwright-process-dead",
        INFRA,
        FATAL + 2,
        0.9,
        (
            whole_run(
                r"Playwright process has been terminated(?: with code -?\d{1,10})?"
                r"|Could not connect to the playwright process[^\n]{0,60}|StatusCode\.UNAVAILABLE"
                r"|failed to connect to all addresses",
                "playwright process|statuscode.unavailable|failed to connect to all",
            ),
        ),
        cause="The Playwright process behind the Browser library is not running any more (or did not start), so its keywords "
        "cannot work.",
        advice="See playwright-log.txt for why it ended; memory and stopped jobs are usual reasons.",
    ),
    Rule(
        "playwright-connection-lost",
        INFRA,
        GENERAL,
        0.78,
        (
            said(
                r"^(?:[^\n]{0,60}failed:\n)?(?:Socket closed|Stream removed|recvmsg:[^\n]{1,60})",
                "socket closed|stream removed|recvmsg",
            ),
        ),
        cause="The Browser library lost its Playwright process in the middle of a call.",
        advice="See playwright-log.txt for why it ended; memory and stopped jobs are usual reasons.",
    ),
    Rule(
        "browser-crashed",
        INFRA,
        FATAL,
        0.86,
        (
            anywhere(
                r"chrome not reachable|tab crashed|page crash(?:ed)?|session deleted because of"
                r"|disconnected: (?:not connected to DevTools|unable to|received)|loading status from disconnected|Target crashed"
                r"|Protocol error \(\w{1,20}\.\w{1,40}\): (?:Failed to open|Session closed|Target closed|Internal error)"
                r"|Failed to decode response from marionette"
                r"|Tried to run command without establishing|[Tt]imed out receiving message from renderer"
                r"|unable to (?:connect to|receive message from) renderer|browser has (?:crashed|disconnected)"
                r"|Process unexpectedly closed with status|Page crashed|GPU process isn't usable"
                r"|instrumentation process is not running|WebDriverAgent[^\n]{0,40}(?:crashed|not running)",
                "not reachable|crash|session deleted|disconnected|protocol error|marionette|without establishing|renderer"
                "|unexpectedly closed"
                "|gpu process|instrumentation process|webdriveragent",
            ),
        ),
        cause="The browser (or its tab) crashed or hung while the test was using it.",
        advice="Watch memory and /dev/shm of the machine, run fewer browsers at once, and look into the browser's and driver's "
        "log.",
    ),
    Rule(
        "browser-start-too-slow",
        INFRA,
        FATAL - 3,
        0.72,
        (
            said(
                r"(?:launch|launchPersistentContext|launchServer|connectOverCDP|BrowserType\.connect): Timeout \d{1,7}ms exceeded",
                "ms exceeded",
            ),
        ),
        cause="The browser did not start in time.",
        advice="Look at the load and memory of the machine, and start the browser by hand there; in a container it may lack "
        "shared memory (--ipc=host) or rights.",
    ),
    Rule(
        "browser-window-gone",
        INFRA,
        PRECISE + 1,
        0.62,
        (
            said(
                r"no such window: [^\n]{1,100}|NoSuchWindowException|invalid session id|InvalidSessionIdException"
                r"|Target (?:page, context or browser has been )?closed|[Bb]rowser has been closed|Browser closed"
                r"|web view not found|Session with given id not found|A session is either terminated or not started"
                r"|(?:test|browser|device|driver|remote|appium) session (?:has|is|was) (?:already |been ){0,2}"
                r"(?:finished|ended|terminated|expired|closed|timed out)|session not started or terminated",
                "no such window|nosuchwindow|invalid session|invalidsession|closed|web view not found|session with given"
                "|session is either|session has|session is|session was|session not started",
            ),
        ),
        cause="The browser or its window was gone when the test wanted to use it: it crashed, was closed by hand, or by a step "
        "before.",
        advice="See whether a step before closes it; if not, look for a crash in the driver's log and at the machine's memory.",
        unless=(said(r"No window matching", "no window matching"),),
    ),
    Rule(
        "no-browser-open",
        TEST,
        PRECISE - 2,
        0.7,
        (
            said(
                r"No browser is open|No (?:page|browser|context) (?:is )?open|no page was open|Could not find active page"
                r"|No application is open|No current (?:application|window)|no open (?:browser|page|context)",
                "is open|page open|browser open|context open|no page was|active page|no current|no open",
            ),
        ),
        cause="The test uses a page or browser although none is open: the step that should open it is missing, misread or "
        "closed it again.",
        advice="Open it in the setup of this test or suite, and see that New Page stands on its own line with two spaces "
        "before each argument.",
        support=(logged(r"(?P<quote>deprecated_pos_args[\"']{0,1}: \[ ?[\"'][^\n]{1,120})", "deprecated_pos_args"),),
    ),
)
