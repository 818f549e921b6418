"""What a test waits for or checks on a page: contents and states that did not come, or came otherwise."""

from .engine import CODE, GENERAL, GUESS, INFRA, PRECISE, TEST, Rule, logged, said

RULES = (
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
        "page-shows-other-text",
        TEST,
        GUESS,
        0.5,
        (
            said(
                r"(?:The text of element|Element|Alert message|Title|Location)(?: '(?P<locator>[^\n]{1,160}?)')? "
                r"should have (?:been|contained)(?: text)? "
                r"'[^\n]{1,160}',? (?:but it was|but its text was|but was|but in fact it was|in fact it was) '[^'\n][^\n]{0,160}"
                r"|\bText '[^'\n][^\n]{0,160}' \(str\) should (?:be|contain) '[^\n]{1,160}",
                "should have been|should have contained|(str) should",
            ),
        ),
        cause="The page shows another text than the test expects: it is checked before the page has changed, or the expected "
        "text is out of date.",
        advice="Wait for the text (Wait Until Element Contains); if the page stays as it is, compare both texts with the "
        "requirement.",
    ),
    Rule(
        "page-shows-other-value",
        TEST,
        GUESS,
        0.44,
        (
            said(
                r"(?:^|: |\n)(?![^\n]{0,160}[$@&%]\{)[^\n!]{1,160} != [^\n]{1,160}"
                r"|(?:^|: |\n)'(?![^\n]{0,160}[$@&%]\{)[^'\n]{1,160}' (?:does not (?:contain|match)|contains) [^\n]{1,160}",
                " != |does not |contains ",
            ),
            logged(
                r"Clicking (?:element|button|link)|Clicks the element|Typing text '|Fills the text|Opening (?:browser|url) '",
                "clicking |clicks the|typing text|fills the|opening ",
            ),
        ),
        cause="The page shows another value than the test expects: it is read before the page has changed, or the expected value "
        "is out of date.",
        advice="Wait until the page shows its final state before the value is read; if it stays, compare with the requirement "
        "which side is right.",
        unless=(said(r"^(?:[^\n]{1,120}: )?[1-5]\d\d(?:\.0)? != [1-5]\d\d", " != "),),
    ),
)
