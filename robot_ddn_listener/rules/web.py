"""HTTP: statuses a service answered with, addresses that cannot be used, tokens."""

from .clues import INVALID_INPUT
from .engine import CODE, CONFIG, GUESS, INFRA, PRECISE, TEST, Rule, anywhere, logged, running, said


def _status(*statuses: str) -> str:
    """Return a pattern for a message that says a request was answered with one of `statuses`, where another was wanted."""
    one = "|".join(statuses)
    return (
        rf"(?P<quote>(?:\b(?P<status>{one}) (?:Client|Server) Error\b[^\n]{{0,160}}|(?:^"
        rf"|\n)[^\n]{{0,300}}?\b(?P<status2>{one})(?:\.0)? (?:\(\w{{1,20}}\) )?!= (?:[^\n]{{0,30}}, "
        rf")?'?[1-5]\d\d\b[^\n]{{0,60}}|expected (?:status |code ){{0,2}}\W{{0,3}}[1-5]\d\d\W{{1,3}}(?:but )?(?:got|was"
        rf"|received) \W{{0,3}}(?P<status7>{one})\b"
        rf"|'(?P<status10>{one})(?:\.0)? ?==? ?[1-5]\d\d' should be true"
        rf"|expected (?:status|code)\b[^\n]{{0,40}} (?:but|got|was|actual)\b[^\n]{{0,12}} \W{{0,2}}(?P<status9>{one})\b"
        rf"|\b(?:Exception|Error): ?\(?(?P<status3>{one})\)?\b[^\n]{{0,120}}"
        rf"|error code:? (?P<status8>{one})\b[^\n]{{0,120}}|HTTP (?:Error|status(?: code)?"
        rf"|response(?: code)?)?:? ?(?P<status4>{one})\b[^\n]{{0,120}}"
        rf"|status(?:[ _-]?code)?(?: was)?[:=]? {{0,1}}(?P<status5>{one})\b[^\n]{{0,120}}"
        rf"|<Response \[(?P<status6>{one})\]>[^\n]{{0,60}}))"
    )


_STATUS_HINT = "client error|server error|!=|exception|error|http|status|response [|expected |' should be true"
_BODY = logged(
    r"status=[45]\d\d, reason=[^\x00]{0,2500}?(?P<quote>(?:body=[^\n]{3,200}|<title>[^\n]{1,160}|[\"'](?:message|error|detail"
    r"|error_description)[\"']: ?[^\n]{1,160}))",
    "status=4|status=5",
)
_ANSWER = logged(r"<Response \[[45]\d\d\]>[^\n]{0,80}", "<response [4|<response [5")
_EXCEPTION_IN_BODY = logged(
    r"(?:status=|status code:? |answered |returned |response |HTTP/[\d.]{1,3}\"? )5\d\d\b[^\x00]{0,2500}?"
    r"(?P<quote>(?:\w{1,40}\.){0,5}\w{1,40}(?:Error|Exception)\b:?[^\n<]{0,160})",
    "status=5|status code|answered 5|returned 5|response 5|http/",
)

_ADDRESS_REFUSED = said(r"InvalidArgumentException: (?:Message: )?invalid argument(?: \(Session|$|\n)", "invalid argument")
_OPENING = r"\b(?:Selenium2?Library|RPA\.Browser\.Selenium)\.(?:Open (?:Available )?Browser|Go To)\b"
_OPENING_HINT = "open browser|open available browser|go to"
_OPENED = logged(r"Opening (?:browser|url) '[^\n]{1,160}", "opening browser|opening url")

RULES = (
    Rule(
        "refusal-expected-but-raised",
        TEST,
        PRECISE + 2,
        0.78,
        (said(r"\b(?P<status>4\d\d) Client Error\b[^\n]{0,160}", "client error"), INVALID_INPUT),
        cause="The test wants the service to refuse the request, but the request keyword itself fails on status {status}.",
        advice="Call the keyword with expected_status={status} (or any) and then check the answer.",
        support=(_BODY, _ANSWER),
    ),
    Rule(
        "credentials-refused-by-service",
        CONFIG,
        PRECISE + 1,
        0.66,
        (said(_status("401", "403", "407"), _STATUS_HINT),),
        cause="The service refused the request because it does not accept the caller's credentials or rights.",
        advice="Check user, password, token and their expiry for this environment, and whether a login step before this one "
        "failed.",
        support=(_BODY, _ANSWER),
    ),
    Rule(
        "request-refused-as-invalid",
        TEST,
        PRECISE,
        0.66,
        (said(_status("400", "405", "406", "409", "411", "412", "413", "415", "422", "428"), _STATUS_HINT),),
        cause="The service refused the request as invalid or in conflict with what it holds.",
        advice="Compare the request with the interface description and read the service's answer; data left over from an "
        "earlier run is a usual reason for conflicts.",
        support=(_BODY, _ANSWER),
    ),
    Rule(
        "resource-not-at-service",
        TEST,
        PRECISE,
        0.62,
        (said(_status("404", "410"), _STATUS_HINT),),
        cause="What the test asks the service for does not exist there: a wrong path or id, or data that was never made or is "
        "deleted already.",
        advice="Check the path against the interface description, and that the object exists at this moment of the test.",
        support=(_BODY, _ANSWER),
    ),
    Rule(
        "rate-limited",
        INFRA,
        PRECISE + 2,
        0.78,
        (
            anywhere(
                r"\b429 (?:Client Error|Too Many Requests)|Too Many Requests|rate limit(?:ed)?(?: exceeded)?|quota exceeded"
                r"|\(429\)|429 != \d{3}|ThrottlingException|reduce your request rate|\(SlowDown\)",
                "429|too many requests|rate limit|quota exceeded|throttling|request rate|slowdown",
            ),
        ),
        cause="The service limits how often it may be called, and the tests are over the limit.",
        advice="Run fewer requests at once, wait as long as the answer says, or get a higher limit for the test account.",
    ),
    Rule(
        "service-unavailable",
        INFRA,
        PRECISE + 2,
        0.8,
        (said(_status("502", "503", "504", "408", "520", "521", "522", "523", "524", "599"), _STATUS_HINT),),
        cause="The service, or what stands behind its proxy, was not available or did not answer in time.",
        advice="Check that the service is up and ready before the tests start; its own log and that of the proxy tell why it "
        "did not answer.",
        support=(_BODY, _ANSWER),
    ),
    Rule(
        "service-unavailable-page",
        INFRA,
        PRECISE,
        0.75,
        (
            said(
                r"(?:502 )?Bad Gateway|503 Service (?:Temporarily )?Unavailable|Service Unavailable|504 Gateway Time-?out"
                r"|upstream connect error|Resource Limit Is Reached|Web server is (?:down|returning an unknown error)",
                "bad gateway|service unavailable|service temporarily|gateway time|upstream connect|resource limit|web server is",
            ),
        ),
        cause="A proxy answered in place of the service, which was not available.",
        advice="Check that the service is up and ready before the tests start.",
    ),
    Rule(
        "service-failed-inside",
        CODE,
        PRECISE + 1,
        0.7,
        (said(_status("500", "501", "505", "507", "508"), _STATUS_HINT),),
        cause="The service answered with an internal error: it failed while it handled the request.",
        advice="Look for the exception in the service's log; if the request is malformed the service should have refused it "
        "with a 400.",
        support=(_EXCEPTION_IN_BODY, _BODY, _ANSWER),
    ),
    Rule(
        "server-error-page",
        CODE,
        PRECISE,
        0.7,
        (
            said(
                r"Internal Server Error|(?:Whitelabel|Yellow) (?:Error Page|Screen)|Werkzeug Debugger|NullPointerException"
                r"|Uncaught (?:Reference|Type|Syntax)?Error: [^\n]{1,100}|Unhandled (?:Promise rejection|exception)"
                r"|Fatal error: [^\n]{1,120}|java\.lang\.\w{1,60}(?:Exception|Error)|System\.\w{1,40}Exception"
                r"|(?:org\.(?:hibernate|springframework)|javax|jakarta)\.[\w.]{1,80}(?:Exception|Error)|ActionView::Template::Error"
                r"|client-side exception has occurred|Cannot return null for non-nullable|Call to undefined (?:method|function)"
                r"|matching query does not exist",
                "internal server error|error page|werkzeug|nullpointer|uncaught |unhandled |fatal error|java.lang|system."
                "|org.hibernate|org.spring|javax.|jakarta.|actionview|client-side|non-nullable|undefined |matching query",
            ),
        ),
        cause="The system under test failed inside with an unhandled error.",
        advice="Take the error to its developers, with the request or step that triggered it and its log.",
        unless=(said(r"(?:Reference|Type|Syntax)Error: [^\n]{0,80}(?:arguments\[|evaluate)", "evaluate|arguments["),),
    ),
    Rule(
        "invalid-accepted-by-service",
        CODE,
        PRECISE,
        0.6,
        (said(r"\b(?P<actual>20[0-4])(?:\.0)? (?:\(\w{1,20}\) )?!= '?(?P<expected>400|401|403|409|422)\b", "!="),),
        cause="The service accepted ({actual}) what the test expects it to refuse ({expected}).",
        advice="Check the requirement; if the refusal is right, the service lacks a check of its input or of the caller's rights.",
    ),
    Rule(
        "other-success-status",
        TEST,
        PRECISE,
        0.62,
        (said(r"\b(?P<actual>20\d)(?:\.0)? (?:\(\w{1,20}\) )?!= '?(?P<expected>20\d|50\d)\b", "!="),),
        cause="The request succeeded with status {actual}, and the test insists on {expected}.",
        advice="Compare with the interface description which success status is right.",
    ),
    Rule(
        "url-not-usable",
        CONFIG,
        PRECISE + 2,
        0.82,
        (
            said(
                r"Invalid URL[: ]{1,2}['\"]?(?P<url>[^\n]{0,120})|No scheme supplied|MissingSchema|InvalidSchema"
                r"|No host specified|Invalid url: \"?(?P<url2>[^\n\"]{0,120})|Cannot navigate to invalid URL"
                r"|No connection adapters were found for (?P<url3>[^\n]{1,120})|unknown url type|LocationParseError"
                r"|(?:invalid argument|malformed)[^\n]{0,40}url|Failed to parse: [^\n]{1,100}",
                "invalid url|no scheme|missingschema|invalidschema|no host specified|connection adapters|unknown url type"
                "|locationparse|invalid argument|malformed|failed to parse",
            ),
        ),
        cause="The address is not a usable URL: the variable that should hold it is empty, not expanded, or lacks http(s)://.",
        advice="Log the variable the address comes from and give it a full URL for this environment.",
    ),
    Rule(
        "address-of-test-refused",
        TEST,
        PRECISE + 1,
        0.7,
        (_ADDRESS_REFUSED, running(_OPENING + r"(?! [^\n]{0,200}[$%]\{)", _OPENING_HINT)),
        cause="The browser does not take the address that the test gives it: it is no full URL.",
        advice="Write the URL with its scheme, https:// or http://.",
        support=(_OPENED,),
    ),
    Rule(
        "configured-address-refused",
        CONFIG,
        PRECISE + 1,
        0.66,
        (_ADDRESS_REFUSED, running(_OPENING + r" [^\n]{0,200}[$%]\{", _OPENING_HINT)),
        cause="The browser does not take the address that it is given: the variable that holds it is empty, or lacks https://.",
        advice="Log the variable the address comes from and give it a full URL for this environment.",
        support=(_OPENED,),
    ),
    Rule(
        "token-invalid",
        CONFIG,
        PRECISE + 1,
        0.78,
        (
            said(
                r"(?:token|jwt|signature|session|password) (?:has |is |was )?expired|expired[_ ]token|ExpiredToken"
                r"|invalid_(?:client|grant|token|api_key)|Invalid (?:API key|token|credentials?|username or password|login)"
                r"|Unable to locate credentials|NoCredentialsError|(?:missing|no|wrong|bad) credentials|InvalidAccessKeyId"
                r"|SignatureDoesNotMatch|UnrecognizedClientException|AuthenticationFailed|AUTHENTICATIONFAILED"
                r"|Username and Password not accepted|535[ -]5\.7|api[_ ]?key (?:is )?(?:not set|missing|required|invalid)",
                "expired|invalid_|invalid |credentials|invalidaccesskey|signaturedoesnot|unrecognizedclient"
                "|authenticationfailed|not accepted|535|api",
            ),
        ),
        cause="Credentials (key, token or password) are missing, wrong or expired.",
        advice="Renew them and give them to the run as secrets of its environment.",
        unless=(INVALID_INPUT,),
    ),
    Rule(
        "login-failed-somewhere",
        CONFIG,
        GUESS + 1,
        0.52,
        (
            said(
                r"\blog-?in (?:has |was )?(?:failed|refused|denied)[^\n]{0,80}"
                r"|(?:could not|cannot|unable to|failed to) (?:log ?in|authenticate)[^\n]{0,80}",
                "login|log in|log-in|authenticate",
            ),
        ),
        cause="A login failed, so the step that needs it could not be done.",
        advice="Check user and password for this environment, and whether the account is locked.",
        unless=(INVALID_INPUT,),
    ),
)
