"""Variables, expressions and arguments in the test data."""

from .engine import CODE, CONFIG, PRECISE, TEST, Rule, logged, said

_VARIABLE = r"(?:Variable|Non-existing variable) '[$@&%]\{(?P<variable>[^'\n]{1,120})\}'(?: not found|\.)"
_SETTING_NAME = (
    r"(?:\w{0,30}_)?(?:base_?)?(?:url|uri|host(?:name)?|server|port|browser|headless|environment|env|user(?:name)?|login"
    r"|password|passwd|pwd|token|secret|api_?key|key|credentials?|email|proxy|domain|endpoint|tenant|region|driver|executable"
    r"|path|dir|config|timeout)(?:_\w{1,30})?"
)

RULES = (
    Rule(
        "environment-variable-missing",
        CONFIG,
        PRECISE,
        0.9,
        (
            said(
                r"Environment variable '(?:%\{)?(?P<variable>[^'\n}]{1,100})\}?' (?:not found|does not exist)"
                r"|(?P<variable2>\w{1,80}) environment variable (?:is )?(?:not set|missing|required)"
                r"|(?P<quote>environment variable:? (?P<variable3>\w{1,80}) (?:is )?(?:not set|missing|required|not defined))",
                "environment variable",
            ),
        ),
        cause="An environment variable the tests need is not set in this run.",
        advice="Set it where the run starts (CI job, container, shell), or give it a default: %{{NAME=default}}.",
    ),
    Rule(
        "setting-variable-missing",
        CONFIG,
        PRECISE,
        0.74,
        (said(r"Variable '[$@&]\{ ?(?P<variable>" + _SETTING_NAME + r")\}' not found", "' not found"),),
        cause="The run does not provide the variable '{variable}', which looks like a setting of the environment under test.",
        advice="Give it with --variable or --variablefile, or define a default in the suite or its resource files.",
        unless=(
            said(r"not found\. Did you mean:", "did you mean"),
            # small letters are for what lives in a test or keyword, and whom a test logs in as is its data
            said(r"Variable '[$@&]\{(?-i:[a-z_ ]{0,30}(?:user|login|e_?mail|pass)[a-z_ ]{0,30})\}' not found", "' not found"),
        ),
    ),
    Rule(
        "variable-not-found",
        TEST,
        PRECISE - 1,
        0.82,
        (said(_VARIABLE, "' not found|non-existing variable"),),
        cause="The variable '{variable}' does not exist where it is used: misspelled, not yet set, or set in another scope.",
        advice="Set the variable before it is used (VAR with a wider scope where another keyword sets it), or correct its name.",
    ),
    Rule(
        "variable-index-missing",
        TEST,
        PRECISE,
        0.8,
        (
            said(
                r"(?:List|Sequence|Dictionary|Tuple|String)? ?'?[$@&]\{(?P<variable>[^'\n]{1,100})\}'? has no (?P<what>item in "
                r"index|key) (?P<index>[^\n]{1,60})"
                r"|'[$@&]\{(?P<variable2>[^'\n]{1,100})\}' (?:used with invalid index '[^'\n]{1,60}'"
                r"|is [\w ]{1,20}, which is not subscriptable)",
                "has no item in index|has no key|invalid index|not subscriptable",
            ),
        ),
        cause="The test takes an element of a variable by an index or key that its value does not have.",
        advice="Wait until the value is complete before it is read, and check its length first; the log shows what it holds.",
    ),
    Rule(
        "response-without-expected-field",
        CONFIG,
        PRECISE + 2,
        0.68,
        (
            said(
                r"Resolving variable '(?P<variable>[^\n]{1,160})' failed: (?:KeyError|TypeError|AttributeError"
                r"|JSONDecodeError)[^\n]{0,80}",
                "resolving variable",
            ),
            logged(r"(?:<Response \[|status[=:] ?)(?P<status>40[13])\b", "401|403"),
        ),
        cause="The service refused the caller ({status}), so its answer does not have the field the test reads next.",
        advice="Give this run credentials that the service accepts, and check the status of the answer before reading from it.",
        support=(
            logged(r"(?P<quote>[\"'](?:message|error|detail|error_description)[\"']: ?[\"'][^\n]{1,160})", "message|error|detail"),
        ),
    ),
    Rule(
        "service-error-without-expected-field",
        CODE,
        PRECISE + 1,
        0.6,
        (
            said(
                r"Resolving variable '(?P<variable>[^\n]{1,160})' failed: (?:KeyError|TypeError|JSONDecodeError)[^\n]{0,80}",
                "resolving variable",
            ),
            logged(r"(?:<Response \[|status[=:] ?)(?P<status>500)\b", "500"),
        ),
        cause="The service answered {status}, so its answer does not have the field the test reads next.",
        advice="Look into the service's log for this request; check the status of the answer before reading from it.",
    ),
    Rule(
        "variable-expression-failed",
        TEST,
        PRECISE,
        0.8,
        (said(r"Resolving variable '(?P<variable>[^\n]{1,160}?)' failed: (?P<problem>[^\n]{1,120})", "resolving variable"),),
        cause="The variable expression '{variable}' does not fit the value it is applied to: {problem}",
        advice="Log the value first and correct the expression, or the keyword that returns the value.",
    ),
    Rule(
        "evaluation-failed",
        TEST,
        PRECISE,
        0.88,
        (
            said(
                r"Evaluating (?:expression|(?:ELSE )?IF condition"
                r"|WHILE condition) '(?P<expression>[^\n]{1,160}?)(?:' failed: (?P<problem>[^\n]{1,120})|'?$|\n)",
                "evaluating expression|if condition|while condition",
            ),
        ),
        cause="The expression '{expression}' of the test is not valid Python with the values it was given: {problem}",
        advice="Quote text values in the expression or use $variable without braces, and look at the values in the log.",
        support=(logged(r"failed: (?:Syntax|Name|Type|Attribute|Key|Value|Index)Error: [^\n]{1,120}", "failed: "),),
    ),
    Rule(
        "expression-of-test-not-python",
        TEST,
        PRECISE - 1,
        0.78,
        (said(r"SyntaxError: [^\n]{1,80}\(<string>, line \d{1,4}\)", "<string>"),),
        cause="An expression in the test data is not valid Python with the values it was given.",
        advice="Quote text values in the expression or use $variable without braces, and look at the values in the log.",
    ),
    Rule(
        "invalid-condition",
        TEST,
        PRECISE,
        0.88,
        (
            said(
                r"(?:Invalid|Invalid IF|Invalid WHILE) (?:loop )?condition: [^\n]{1,160}"
                r"|(?:IF|WHILE) (?:must have|requires) a condition",
                "condition",
            ),
        ),
        cause="The condition in the test data cannot be evaluated.",
        advice="Quote text values in the condition or use $variable without braces.",
    ),
    Rule(
        "keyword-argument-count",
        TEST,
        PRECISE,
        0.92,
        (
            said(
                r"Keyword '(?P<keyword>[^'\n]{1,160})' expected (?P<expected>[^\n]{1,60}argument[^\n]{0,20}),? ?(?:got"
                r"|but got) (?P<got>\d{1,4})",
                "' expected ",
            ),
        ),
        cause="The keyword '{keyword}' is called with {got} arguments but takes {expected}.",
        advice="Correct the call; look for missing double spaces, or for a value that was split into several arguments.",
    ),
    Rule(
        "keyword-named-argument",
        TEST,
        PRECISE,
        0.9,
        (
            said(
                r"Keyword '(?P<keyword>[^'\n]{1,160})' (?P<problem>(?:got|missing|did not get) [^\n]{0,30}(?:unexpected"
                r"|multiple values|named|positional|non-named)[^\n]{1,80})",
                "keyword '",
            ),
        ),
        cause="The call of '{keyword}' does not fit its arguments: {problem}",
        advice="Compare the call with the keyword's documentation of the installed version; escape '=' in values as '\\='.",
    ),
    Rule(
        "argument-not-convertible",
        TEST,
        PRECISE,
        0.88,
        (
            said(
                r"Argument '(?P<argument>[^'\n]{1,80})' got value '(?P<value>[^\n]{0,160}?)'(?: \([^)\n]{1,40}\))? that cannot "
                r"be converted to (?P<kind>[^\n]{1,120})",
                "cannot be converted",
            ),
        ),
        cause="The argument '{argument}' got '{value}', which cannot be converted to {kind}",
        advice="Give a value of the expected type; a value in the wrong position is often the reason, so name the argument.",
    ),
    Rule(
        "argument-wrong-kind",
        TEST,
        PRECISE,
        0.82,
        (
            said(
                r"Expected argument (?P<position>\d{1,3}|'[^'\n]{1,40}') to be (?P<expected>[^\n]{1,80}), got "
                r"(?P<got>[^\n]{1,60}) instead|'(?P<value>[^'\n]{0,100})' cannot be converted to an? (?P<kind>integer"
                r"|floating point number|number)|Cannot convert (?:value|argument|')[^\n]{1,120}"
                r"|Value of variable '[^'\n]{1,100}' is not (?:list|dictionary)[^\n]{0,40}",
                "expected argument|cannot be converted|cannot convert|value of variable",
            ),
        ),
        cause="A keyword got a value of a kind that it cannot work with.",
        advice="Look at the value in the log and convert it, or correct the keyword that returns it.",
    ),
    Rule(
        "xml-element-not-matched",
        TEST,
        PRECISE,
        0.74,
        (
            said(
                r"No element matching '[^'\n]{1,160}' found|Multiple elements \(\d{1,6}\) matching '[^'\n]{1,160}' found",
                "element",
            ),
        ),
        cause="The path of the test does not match exactly one element of the XML document.",
        advice="Look at the document in the log (Log Element) and correct the path; the root element itself is '.'.",
    ),
    Rule(
        "invalid-time",
        TEST,
        PRECISE,
        0.9,
        (
            said(
                r"Invalid (?:time string|timestamp|date|timeout) '(?P<value>[^'\n]{0,100})'"
                r"|Setting \w{1,20} timeout failed: [^\n]{1,100}",
                "invalid |timeout failed",
            ),
        ),
        cause="A time or date in the test data has a form that Robot does not understand.",
        advice="Write times like '5 seconds' or '1 min 30 s', dates like '2024-01-31 12:00'.",
    ),
    Rule(
        "required-value-is-missing",
        TEST,
        PRECISE,
        0.75,
        (
            said(
                r"Missing the required parameter `?'?(?P<parameter>\w{1,60})"
                r"|missing \d{1,2} required (?:positional|keyword-only) arguments?: (?P<arguments>[^\n]{1,100})"
                r"|(?:required|mandatory) (?:argument|parameter|value|field) [^\n]{1,60} (?:is )?(?:missing|empty|None"
                r"|not given)",
                "missing|required",
            ),
        ),
        cause="A call lacks a value that it requires, often because the variable that should hold it was never set.",
        advice="See in the log which variable is None or empty, and set it before (a test must not rely on another test having "
        "run).",
        support=(logged(r"[$]\{\w{1,60}\} = (?:None|\n|$)[^\n]{0,20}", "} ="),),
        unless=(said(r"__init__\(\) missing", "__init__() missing"),),
    ),
    Rule(
        "variable-assign-count",
        TEST,
        PRECISE,
        0.85,
        (
            said(
                r"Cannot set variables: Expected (?P<expected>[^\n]{1,40}), got (?P<got>[^\n]{1,40})|Cannot assign [^\n]{1,80}",
                "cannot set variables|cannot assign",
            ),
        ),
        cause="A keyword returned another number of values than the test assigns.",
        advice="Compare what the keyword returns with the variables before it; a list variable takes the rest.",
    ),
)
