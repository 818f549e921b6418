"""What stands on a page or screen, and what a test does with it: elements, locators, windows."""

from .engine import GENERAL, PRECISE, TEST, Rule, said

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
                r"|move target out of bounds|MoveTargetOutOfBounds|Cannot take screenshot with 0"
                r"|has no size and location|element cannot receive focus|ElementNotEnabled",
                "not interactable|notinteractable|notvisible|invalidelementstate|element is not|resolved to hidden|disabled"
                "|read|scrolled into|viewport|out of bounds|outofbounds|screenshot with 0|no size and|receive focus|notenabled",
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
                r"|Locator with prefix '[^'\n]{1,60}' is not supported|(?:Syntax|Type)Error: Failed to execute '(?:querySelector"
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
                r"Element is not an? <[^\n]{1,80}|resolved to <[^\n]{1,120}, <\w{1,20}> was expected"
                r"|Select only works on <select>|UnexpectedTagName|Node is not an? [^\n]{1,60}"
                r"|Options? [^\n]{1,80}not in (?:list|select)|List '[^'\n]{1,100}' does(?: not|n't) have (?:option"
                r"|value)[^\n]{0,60}|did not find some options|Could not locate element with (?:visible text|index"
                r"|value)|Cannot locate option",
                "element is not a|> was expected"
                "|only works on|unexpectedtagname|node is not a|not in |have |did not find some|locate ",
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
                r"|Page) (?:with locator )?'(?P<locator2>[^\n]{1,160}?)' (?:could )?not (?:be )?found"
                r"|Element locator '(?P<locator3>[^\n]{1,120}?)' did not match any|did not match any elements"
                r"|An element could not be located|Cannot locate[^\n]{0,60}element|Elements? count for selector[^\n]{1,100}"
                r"|Unable to find element|Could not find (?:an )?elements? with (?:selector|locator)[^\n]{1,120}"
                r"|(?:could not|cannot|can't) (?:find|locate) (?:the )?(?:window|control|button|object|menu)\b[^\n]{0,80}"
                r"|No (?:radio button|option|checkbox) with (?:name|value|label) [^\n]{1,160} found"
                r"|Element (?:from|with|by) [^\n]{1,160} could not be found|ElementNotFound\w{0,20}|WindowNotFound\w{0,20}",
                "not found|notfound|could not be found|nosuchelement|no such element|locate|did not match|elements count"
                "|element count|not be found"
                "|unable to find|could not|cannot|can't|no radio button|no option|no checkbox",
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
