"""What stands on a page or screen, and what a test does with it: elements, locators, windows, waits."""

from .engine import CODE, GENERAL, GUESS, INFRA, PRECISE, TEST, Rule, logged, said

RULES = (
    Rule(
        "no-window-with-that-name",
        TEST,
        PRECISE,
        0.76,
        (
            said(
                r"No window matching (?:handle|locator|name|title|url)?[^\n]{0,120}found|Unable to locate window"
                r"|No frame(?: matching| element|:)? ?[^\n]{0,60}|NoSuchFrameException|no such frame|No alert|no such alert"
                r"|Alert not found in [^\n]{1,40}",
                "no window matching|locate window|no frame|nosuchframe|no such frame|no alert|no such alert|alert not found",
            ),
        ),
        cause="The window, frame or alert the test switches to is not there (yet, or any more).",
        advice="Wait until it is there, and select it by a property that this version of the page has.",
    ),
    Rule(
        "unhandled-alert",
        TEST,
        PRECISE + 2,
        0.78,
        (
            said(
                r"unexpected alert open(?:: \{Alert text : (?P<alert>[^}\n]{1,120}))?|UnexpectedAlert(?:Present|Open)\w{0,20}"
                r"|unexpectedly open dialog",
                "unexpected",
            ),
        ),
        cause="The page opened a JavaScript alert that the test does not handle before its next step.",
        advice="Handle the alert where it is expected; if its text is an error message, see why the page shows it.",
        support=(said(r"Alert text : [^\n]{1,120}", "alert text"),),
    ),
    Rule(
        "element-covered",
        TEST,
        PRECISE + 1,
        0.84,
        (
            said(
                r"element click intercepted|ElementClickIntercepted|is not clickable at point|intercepts pointer events"
                r"|Other element would receive the click|obscures it",
                "intercept|not clickable|would receive|obscures",
            ),
        ),
        cause="Another element of the page covers the one to click at that moment (a header, an overlay, a spinner, a cookie "
        "banner).",
        advice="Wait until the covering element is gone or close it, or scroll the target into view.",
    ),
    Rule(
        "element-stale",
        TEST,
        PRECISE + 1,
        0.82,
        (
            said(
                r"StaleElementReference|stale element (?:reference|not found)"
                r"|element is not attached to the (?:page document|DOM)|Element is not attached|Execution context was destroyed"
                r"|ElementNotAvailable\w{0,20}|corresponds to UI that is no longer available",
                "stale|not attached|context was destroyed|elementnotavailable|no longer available",
            ),
        ),
        cause="The page was rebuilt after the element was found, so the test holds an element that no longer exists.",
        advice="Wait until the page has settled and find the element again right before it is used.",
    ),
    Rule(
        "element-not-interactable",
        TEST,
        PRECISE,
        0.78,
        (
            said(
                r"element not interactable|ElementNotInteractable|ElementNotVisible|InvalidElementState"
                r"|element is not (?:visible|enabled|stable|editable)|resolved to hidden"
                r"|Element '[^\n]{1,120}' is (?:disabled|read-?only)|cannot be scrolled into view|outside of the viewport"
                r"|move target out of bounds|has no size and location|element cannot receive focus|ElementNotEnabled",
                "not interactable|notinteractable|notvisible|invalidelementstate|element is not|resolved to hidden|disabled"
                "|read|scrolled into|viewport|out of bounds|no size and|receive focus|notenabled",
            ),
        ),
        cause="The element exists but cannot be used at that moment: hidden, disabled, still moving, or not the one that is meant.",
        advice="Wait until it is visible and enabled, or use a locator for the element a user would use (an option is chosen "
        "with Select Options By).",
        support=(said(r"(?P<quote>(?:selector|locator) resolved to (?:hidden|\d)[^\n]{1,150})", "resolved to"),),
    ),
    Rule(
        "locator-ambiguous",
        TEST,
        PRECISE + 1,
        0.92,
        (said(r"strict mode violation: [^\n]{1,160}|resolved to (?P<count>\d{1,5}) elements", "strict mode|resolved to"),),
        cause="The locator matches several elements, and the keyword wants exactly one.",
        advice="Make the locator unique, or take one with '>> nth=0'.",
    ),
    Rule(
        "locator-invalid",
        TEST,
        PRECISE + 2,
        0.92,
        (
            said(
                r"(?P<quote>Unknown engine \"(?P<engine>[^\"\n]{1,60})\"|[Ii]nvalid ?[Ss]elector[^\n]{0,160}"
                r"|is not a valid (?:XPath|selector)[^\n]{0,40}|Unexpected token [^\n]{0,60} while parsing[^\n]{0,60}"
                r"|Locator with prefix '[^'\n]{1,60}' is not supported|SyntaxError: Failed to execute '(?:querySelector"
                r"|evaluate)[^\n]{0,120}|Malformed selector|Error while parsing (?:css|selector)[^\n]{0,80})",
                "unknown engine|invalid selector|invalidselector|is not a valid|unexpected token|with prefix|failed to execute"
                "|malformed selector|error while parsing",
            ),
        ),
        cause="The locator of the test is not valid: its XPath, CSS or prefix cannot be understood.",
        advice="Try the locator in the browser's developer tools; mind quotes in it and two spaces before the next argument.",
        support=(
            said(
                r"is not a valid (?:XPath|selector)[^\n]{0,40}|SyntaxError: Failed to execute '[^\n]{1,120}",
                "is not a valid|syntaxerror",
            ),
        ),
    ),
    Rule(
        "script-of-test-failed",
        TEST,
        PRECISE,
        0.76,
        (
            said(
                r"javascript error: [^\n]{1,160}|JavascriptException|arguments\[\d\]\.\w{1,30} is not a function"
                r"|(?:page|locator|frame|elementHandle)\.(?:evaluate|\$eval)\w{0,10}: (?:Reference|Type"
                r"|Syntax)?Error[^\n]{0,120}",
                "javascript error|javascriptexception|is not a function|evaluate|eval",
            ),
        ),
        cause="The JavaScript that the test runs in the page failed.",
        advice="Try it in the browser's console; a locator text in place of a WebElement is a usual reason (Get WebElement first).",
    ),
    Rule(
        "element-of-wrong-kind",
        TEST,
        PRECISE,
        0.82,
        (
            said(
                r"Element is not an? <[^\n]{1,80}|Select only works on <select>|UnexpectedTagName|Node is not an? [^\n]{1,60}"
                r"|Options? [^\n]{1,80}not in (?:list|select)|List '[^'\n]{1,100}' does(?: not|n't) have (?:option"
                r"|value)[^\n]{0,60}|did not find some options|Could not locate element with (?:visible text|index"
                r"|value)|Cannot locate option",
                "element is not a|only works on|unexpectedtagname|node is not a|not in |have |did not find some|locate ",
            ),
        ),
        cause="The element is not of the kind the keyword needs, or a list lacks the option.",
        advice="Use the keyword for this kind of element, with an option that the page offers.",
    ),
    Rule(
        "element-not-found",
        TEST,
        GENERAL,
        0.7,
        (
            said(
                r"Element with locator '(?P<locator>[^\n]{1,160}?)' not found|NoSuchElement\w{0,20}|no such element"
                r"|Unable to locate element|(?:Link|Button|Image|Text ?field|Radio button|Checkbox|List|Table"
                r"|Page) (?:with locator )?'(?P<locator2>[^'\n]{1,120})' (?:could )?not (?:be )?found"
                r"|Element locator '(?P<locator3>[^\n]{1,120}?)' did not match any|did not match any elements"
                r"|An element could not be located|Cannot locate[^\n]{0,60}element|Elements? count for selector[^\n]{1,100}"
                r"|Unable to find element|Could not find (?:an )?elements? with (?:selector|locator)[^\n]{1,120}"
                r"|(?:could not|cannot|can't) (?:find|locate) (?:the )?(?:window|control|button|object|menu)\b[^\n]{0,80}"
                r"|Element (?:from|with|by) [^\n]{1,160} could not be found|ElementNotFound\w{0,20}|WindowNotFound\w{0,20}",
                "not found|notfound|could not be found|nosuchelement|no such element|locate|did not match|elements count"
                "|element count|not be found"
                "|unable to find|could not|cannot|can't",
            ),
        ),
        cause="The element the test looks for is not on the page: the locator does not fit this version of the page, or the "
        "page is not ready (or another one).",
        advice="Look at the screenshot for which page is shown; correct the locator, or wait for the element first.",
        unless=(said(r"No window matching|No keyword", "no window|no keyword"),),
    ),
    Rule(
        "locator-matches-several",
        TEST,
        PRECISE - 2,
        0.7,
        (
            said(
                r"(?:locator|selector) [^\n]{1,160} (?:matched|matches|found) (?!0 )(?P<number>\d{1,5}) elements"
                r"|should have contained \d{1,5} elements?\(?s?\)?,? but it did contain (?P<number2>\d{1,5})",
                " elements|did contain",
            ),
        ),
        cause="The locator fits another number of elements than the test counts on.",
        advice="Make the locator as narrow as what is meant, or correct the number; wait until the list is complete.",
    ),
    Rule(
        "page-load-timeout",
        INFRA,
        PRECISE,
        0.66,
        (
            said(
                r"page\.goto: Timeout[^\n]{1,60}|(?:page load|Page load) timeout|Navigation timeout|Timeout loading page"
                r"|Page\.navigate[^\n]{0,40}timed? ?out|net::ERR_ABORTED|networkidle[^\n]{0,40}[Tt]imeout",
                "goto|page load|navigation timeout|loading page|timed out|timeout|err_aborted",
            ),
        ),
        cause="The page did not finish loading in time: the server or the network is slow, or the page never becomes idle.",
        advice="Measure the page by hand; wait for an element instead of the whole page, or raise the time-out.",
    ),
    Rule(
        "playwright-wait-timeout",
        TEST,
        GENERAL,
        0.7,
        (
            said(
                r"(?P<quote>(?:locator|page|frame|elementHandle"
                r"|TimeoutError: \w{1,30})\.\w{1,30}: Timeout (?P<time>\d{1,7})ms exceeded[^\n]{0,60}"
                r"|Timeout (?P<time2>\d{1,7})ms exceeded)",
                "ms exceeded",
            ),
        ),
        cause="The element did not reach the wanted state in time: the locator does not fit this page, or the page is not ready.",
        advice="See in the call log whether the locator matched anything; correct it, or wait for the state of the page the "
        "step needs.",
        support=(said(r"(?P<quote>(?:waiting for|resolved to)[^\n]{1,150})", "waiting for|resolved to"),),
    ),
    Rule(
        "awaited-state-did-not-come",
        TEST,
        GENERAL,
        0.62,
        (
            said(
                r"(?:Element|Text|Location|Title|Page|Condition|Link|Button|Alert) [^\n]{0,160}(?:did not (?:appear|disappear"
                r"|contain|become|get|match)|not (?:visible|enabled|found)|still (?:visible|enabled|contains?)|(?:is"
                r"|was) not)[^\n]{0,100}(?:after|in|within) (?P<time>\d[^\n]{0,30})"
                r"|Condition '[^\n]{1,120}' did not become true|TimeoutException: Message:",
                "did not |not visible|not enabled|not found|still |was not|is not|timeoutexception",
            ),
        ),
        cause="What the test waits for did not come about in time: a wrong locator, a slow page, or a step before without effect.",
        advice="Look at the screenshot for what the page shows instead; correct the locator or the step before, or wait longer.",
    ),
    Rule(
        "page-waits-for-failing-service",
        CODE,
        GENERAL + 1,
        0.58,
        (
            said(
                r"(?:Element|Text|Page|Location|Title) [^\n]{1,160}(?:did not (?:appear|contain)|not visible|should have)"
                r"[^\n]{0,60}",
                "did not |not visible|should have",
            ),
            logged(r"\b500 \(?Internal Server Error\b|\bHTTP(?:/[\d.]{1,3})?\"? 500\b", "500"),
        ),
        cause="What the test waits for did not come, and the log shows that the application answered with an internal error (500).",
        advice="Look for the exception in the application's log at that time.",
    ),
    Rule(
        "page-script-failed",
        CODE,
        GENERAL + 1,
        0.58,
        (
            said(
                r"(?:Element|Text|Page|Location|Title|Button|Link|locator|waiting for) [^\n]{1,160}(?:did not (?:appear|contain)"
                r"|not (?:visible|enabled|found)|should have|to be (?:visible|enabled))[^\n]{0,60}",
                "did not |not visible|not enabled|not found|should have|to be ",
            ),
            logged(
                r"Uncaught (?:\(in promise\) )?(?P<problem>(?:\w{0,20}Error|Error)\b: [^\n]{1,140})"
                r"|Unhandled (?:promise )?rejection[^\n]{0,120}",
                "uncaught |unhandled ",
            ),
        ),
        cause="What the test waits for did not come, and the page's own script failed before: {problem}",
        advice="Take the script's error, from the browser's console, to the page's developers.",
    ),
    Rule(
        "page-lacks-content",
        TEST,
        GUESS + 2,
        0.58,
        (
            said(
                r"Page should (?:not )?have contained [^\n]{1,160}|Element '[^\n]{1,120}' should (?:not )?be (?:visible|enabled"
                r"|focused|present)[^\n]{0,60}|should have been (?:visible|enabled"
                r"|selected)|The element '[^\n]{1,120}' should (?:not )?(?:be|have)[^\n]{1,60} but",
                "should ",
            ),
        ),
        cause="The page does not show what the test checks at that moment, most often because the check does not wait for the "
        "step before to finish.",
        advice="Wait for the content (Wait Until ...) instead of checking at once; if the screenshot shows a finished page, "
        "compare it with the requirement.",
    ),
    Rule(
        "image-not-on-screen",
        TEST,
        PRECISE,
        0.66,
        (
            said(
                r"FindFailed|ImageNotFoundException|Reference image [^\n]{1,80}not found|Could not (?:find|locate) image"
                r"|ImageNotFound|could not find (?:P\()?[^\n]{1,120}\.(?:png|jpe?g|bmp)\b",
                "findfailed|imagenotfound|reference image|image|could not find ",
            ),
        ),
        cause="The reference image was not found on the screen.",
        advice="Compare the screenshot with the reference image: resolution, scaling and theme must be the same; then "
        "similarity and wait time.",
    ),
)
