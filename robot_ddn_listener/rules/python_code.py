"""Python exceptions: mistakes in the code or values a keyword works with, and in the product."""

from .engine import CODE, CONFIG, GENERAL, GUESS, PRECISE, TEST, Clue, Rule, logged, said
from .views import Place

_TESTS = (  # folders of test code; what lies elsewhere, and was not installed, is what is tested
    r"(?:\w{0,20}tests?|robot\w{0,20}|keywords?|resources?|librar(?:y|ies)|libs?|e2e|features?|steps|pages?|page_?objects?"
    r"|helpers?|utils?|common|support|fixtures?)[\\/]"
)
_THROUGH_PRODUCT = (  # frames of a traceback, or of an exception, from test code into other code of the project
    r"(?:^|\n)(?:File \")?(?:[^\n\"]{0,200}[\\/])?" + _TESTS + r"[^\n\"]{0,120}\.py\b[^\n]{0,120}\n[^\x00]{0,600}?(?<=\n)"
    r"(?:File \")?(?P<file>(?![^\n\"]{0,200}(?:\b" + _TESTS + r"|-packages[\\/]|[\\/]python\d[\d.]{0,4}[\\/]))"
    r"(?:[^\n\"<]{0,200}[\\/])?[^\n\"<]{1,80}\.py)(?:\", line \d{1,6},)? in (?P<function>[\w.<>]{1,80})"
)


RULES = (
    Rule(
        "robot-failed-inside",
        CODE,
        GENERAL + 1,
        0.55,
        (
            said(r"(?P<error>(?:Attribute|Name|UnboundLocal|Index)Error): (?P<problem>[^\n]{1,140})", "error: "),
            logged(
                r"Traceback \(most recent call last\): None (?:Attribute|Name|UnboundLocal|Index)Error: [^\n]{1,140}", "traceback"
            ),
        ),
        cause="Robot Framework's own code (or a library that belongs to it) failed with an error it does not expect: {problem}",
        advice="Look the error up in Robot Framework's issues for the installed version, and try the newest one.",
    ),
    Rule(
        "library-failed-inside",
        CODE,
        GENERAL + 1,
        0.52,
        (
            said(r"(?:Attribute|UnboundLocal)Error: (?P<problem>[^\n]{1,140})", "error: "),
            logged(
                r"(?:site|dist)-packages[\\/](?P<package>\w{1,40})[^\n\"]{1,160}\", line \d{1,6}, in "
                r"[^\n]{1,60}(?:\n[^\n]{1,200}){0,2}\n(?:Attribute|UnboundLocal)Error: [^\n]{1,140}",
                "-packages",
            ),
        ),
        unless=(
            said(
                r"'(?:str|unicode|int|list|dict|tuple|float|bool|bytes)' object has no attribute",
                "object has no attribute",
            ),
        ),
        cause="The installed library '{package}' failed in its own code: {problem}",
        advice="Look the error up in the issues of '{package}' for the installed version, and see whether it was called before "
        "it was set up.",
    ),
    Rule(
        "product-code-failed",
        CODE,
        PRECISE - 3,
        0.6,
        (
            said(
                r"(?:^|[\n .])(?P<error>(?:Type|Attribute|Key|Index|ZeroDivision|UnboundLocal|Recursion|Integrity"
                r"|Overflow)Error)(?:: (?P<problem>[^\n]{1,140})|$)",
                "error",
            ),
            Clue(_THROUGH_PRODUCT, ".py", (Place.TRACE, Place.LOG)),
        ),
        cause="The code under test failed in {function} ({file}) with {error}: {problem}",
        advice="Correct it there if it has to cope with what the test gave it; else let the test give it something allowed.",
    ),
    Rule(
        "unexpected-keyword-argument",
        TEST,
        PRECISE - 2,
        0.62,
        (
            said(
                r"(?P<function>[\w.]{1,60})\(\) got an unexpected keyword argument '(?P<argument>\w{1,60})'",
                "unexpected keyword argument",
            ),
        ),
        cause="'{function}' is called with the argument '{argument}', which it does not have (in this version).",
        advice="Compare the call with the definition in the installed version.",
    ),
    Rule(
        "wrong-argument-count",
        TEST,
        PRECISE - 2,
        0.68,
        (
            said(
                r"(?P<function>[\w.]{1,60})\(\) takes (?P<takes>[^\n]{1,60}?) (?:but |\()(?P<given>\d{1,3}) "
                r"(?:(?:were|was) )?given",
                "takes ",
            ),
        ),
        cause="'{function}' is called with {given} arguments but takes {takes}.",
        advice="Compare the call with the definition; a method without 'self' is a usual reason.",
    ),
    Rule(
        "isinstance-with-generic",
        CODE,
        PRECISE,
        0.66,
        (
            said(
                r"Subscripted generics cannot be used with class and instance checks"
                r"|isinstance\(\) arg(?:ument)? 2 (?:must be|cannot be)[^\n]{1,80}"
                r"|issubclass\(\) arg(?:ument)? [12] [^\n]{1,60}",
                "subscripted generics|isinstance|issubclass",
            ),
        ),
        cause="A library checks a value against a type hint in a way that Python does not allow for this kind of hint.",
        advice="Update that library (Robot Framework too), or use a simpler type hint in the keyword.",
    ),
    Rule(
        "name-not-defined",
        TEST,
        PRECISE,
        0.8,
        (
            said(
                r"NameError: (?:global |free )?(?:name|variable) '(?P<name>\w{1,80})' is not defined"
                r"|ReferenceError: (?P<name2>\w{1,60}) is not defined",
                "nameerror|referenceerror",
            ),
        ),
        cause="The name '{name}' is not defined in the expression or library code that is run: a text without quotes, or a "
        "missing import.",
        advice="Quote it if it is meant as text; else define or import it.",
    ),
    Rule(
        "json-written-wrongly",
        TEST,
        PRECISE,
        0.76,
        (
            said(
                r"Expecting (?:property name enclosed in double quotes|',' delimiter|':' delimiter|value: line (?:[2-9]"
                r"|1\d)\b)[^\n]{0,60}|Extra data: line[^\n]{0,40}|Invalid control character at|Invalid \\escape"
                r"|Unterminated string starting|Illegal trailing comma",
                "expecting |extra data|invalid |unterminated|illegal trailing",
            ),
        ),
        cause="A text that should be JSON is not: quotes, commas or escapes are wrong.",
        advice="Log the text that is parsed; write test data with double quotes, and let a keyword build JSON from a dictionary.",
        support=(logged(r"(?P<quote>[^\n]{0,60}JSONDecodeError[^\n]{0,120})", "jsondecodeerror"),),
    ),
    Rule(
        "answer-is-not-json",
        TEST,
        GUESS,
        0.45,
        (
            said(
                r"JSONDecodeError: Expecting value: line 1 column 1|Expecting value: line 1 column 1 \(char 0\)"
                r"|No JSON object could be decoded|Unexpected token '?<'?[^\n]{0,60}JSON",
                "expecting value|no json object|unexpected token",
            ),
        ),
        cause="The answer that is parsed as JSON is empty or something else (an error page, HTML), and the test does not check "
        "that first.",
        advice="Check status and content type before parsing; the log of the response shows what came instead.",
        support=(logged(r"status=[345]\d\d[^\n]{0,60}", "status="),),
    ),
    Rule(
        "text-is-not-xml",
        TEST,
        GUESS,
        0.5,
        (
            said(
                r"XMLSyntaxError|Document is empty, line 1|Start tag expected, '<' not found|(?:Xml)?ParseError: (?:no element"
                r" found|syntax error: line|not well-formed)|not well-formed \(invalid token\)|Parsing XML failed",
                "xmlsyntaxerror|document is empty|start tag expected|parseerror|not well-formed|parsing xml",
            ),
        ),
        cause="What is parsed as XML is empty or something else: a wrong path or address, or an error page in its place.",
        advice="Log what is parsed, and check the path, or status and content type of the answer, before that.",
        support=(logged(r"status=[345]\d\d[^\n]{0,60}", "status="),),
    ),
    Rule(
        "text-in-other-encoding",
        TEST,
        PRECISE - 2,
        0.56,
        (
            said(
                r"'utf-?(?:8|16|32)' codec can't decode[^\n]{0,100}|UnicodeDecodeError[^\n]{0,100}",
                "codec can't decode|unicodedecodeerror",
            ),
        ),
        cause="A file or output that is read as UTF-8 is in another encoding (or is not text).",
        advice="Name the right encoding where it is read, or save the file as UTF-8.",
    ),
    Rule(
        "nul-byte-in-value",
        TEST,
        PRECISE - 2,
        0.62,
        (said(r"embedded null (?:byte|character)|source code (?:string )?cannot contain null bytes", "null byte|null character"),),
        cause="A value holds a NUL character, which the called function does not take; it usually comes from a device or "
        "binary file.",
        advice="Strip it from the value (e.g. value.rstrip('\\0')) where it is read.",
    ),
    Rule(
        "number-expected",
        TEST,
        PRECISE - 2,
        0.68,
        (
            said(
                r"invalid literal for int\(\) with base \d{1,2}: (?P<value>[^\n]{1,60})"
                r"|could not convert string to float: ?(?P<value2>[^\n]{0,60})|InvalidOperation: [^\n]{0,60}ConversionSyntax",
                "invalid literal|could not convert string|invalidoperation",
            ),
        ),
        cause="A text is used as a number although it is none.",
        advice="Look at the value in the log: it often holds a unit, a separator, or is empty because an earlier step found "
        "nothing.",
    ),
    Rule(
        "wrong-type-of-value",
        TEST,
        GENERAL,
        0.64,
        (
            said(
                r"TypeError: (?:unsupported operand type|can only concatenate|must be (?:str|real number|int)|'?(?:str|int|list"
                r"|dict|tuple|float|bool|bytes)'? object (?:is not|cannot|does not)[^\n]{1,60}|(?:string|list|tuple"
                r"|byte)s? indices must be|unhashable type|'[<>]=?' not supported between|a bytes-like object is required"
                r"|cannot convert|the JSON object must be|argument of type '(?:int|float|bool)' is not iterable|descriptor '"
                r"|not all arguments converted|sequence item \d{1,4}: expected)[^\n]{0,100}"
                r"|[$@&]\{[^'\n]{1,80}\}'? is not (?:a )?(?:list|dictionary)(?:-like)?\b[^\n]{0,40}"
                r"|'(?:str|unicode|int|list|dict|tuple|float|bool|bytes|Response)' object has no attribute '\w{1,60}'",
                "typeerror|object has no attribute|} is not |}' is not ",
            ),
        ),
        cause="A keyword or expression works with a value of another type than it is made for.",
        advice="Look at the value and its type in the log; convert it, or correct the variable or the keyword that returns it.",
    ),
    Rule(
        "key-or-index-missing",
        TEST,
        GENERAL,
        0.58,
        (
            said(
                r"KeyError: (?P<key>[^\n]{1,80})|(?:list|string|tuple)? ?(?:assignment )?index out of range"
                r"|IndexError[^\n]{0,60}|Dictionary does not contain key '(?P<key2>[^'\n]{1,80})'"
                r"|(?:Given|List) index -?\d{1,6} is out of range",
                "keyerror|indexerror|index out of range|not contain key|is out of range",
            ),
        ),
        cause="The value the test reads from does not have the key or position it takes.",
        advice="See in the log what the value holds; the step that should fill it often got another answer than expected.",
    ),
    Rule(
        "value-is-none-in-library",
        TEST,
        GUESS,
        0.5,
        (
            said(
                r"'NoneType' object (?:has no attribute|is not (?:subscriptable|iterable|callable))[^\n]{0,60}|not NoneType",
                "nonetype",
            ),
            logged(r"[$]\{\w{1,60}\} = None\b", "= none"),
        ),
        cause="A variable is None where a value is needed, because the step that should have filled it gave nothing.",
        advice="See in the log which step returned None, and check its result before it is used.",
        support=(logged(r"[$]\{\w{1,60}\} = None\b", "= none"),),
    ),
    Rule(
        "yaml-or-config-unreadable",
        CONFIG,
        PRECISE - 2,
        0.66,
        (
            said(
                r"(?:ParserError|ScannerError|YAMLError)[^\n]{0,60}|while (?:parsing a (?:block mapping|flow)"
                r"|scanning)[^\n]{0,80}|mapping values are not allowed here|NoSectionError|NoOptionError"
                r"|MissingSectionHeaderError|No (?:section|option)[: ]{1,2}'"
                r"|(?:key|setting|option|entry|field) '[^'\n]{1,80}' (?:is )?(?:missing|not found|not set) (?:in|from) [^\n]{0,80}"
                r"\.(?:ya?ml|json|ini|toml|cfg|conf|env|properties)\b",
                "parsererror|key '|setting '|option '|entry '|field '"
                "|scannererror|yamlerror|while |mapping values|nosection|nooption|missingsection|no section|no option",
            ),
        ),
        cause="A configuration file cannot be read: its syntax is wrong or an entry is missing.",
        advice="Correct the file at the place the message names.",
    ),
    Rule(
        "query-into-answer-not-valid",
        TEST,
        PRECISE - 1,
        0.68,
        (
            said(
                r"JsonPath(?:Parser|Lexer)?Error|No value (?:was )?found for (?:JSONPath|path)|Invalid JSONPath"
                r"|jmespath\.exceptions|XPathEvalError|XPath\w{0,20}: Invalid expression|Failed to evaluate XPath",
                "jsonpath|no value|jmespath|xpath",
            ),
        ),
        cause="The path that the test takes a value by is not valid, or leads to nothing in what it is applied to.",
        advice="Log the text it is applied to, and try the path on that.",
    ),
    Rule(
        "required-setting-empty",
        CONFIG,
        PRECISE - 2,
        0.66,
        (
            said(
                r"\b(?:KeyError: '(?P<variable>(?-i:[A-Z][A-Z0-9]{1,30}_[A-Z0-9_]{1,60}))'"
                r"|(?P<variable2>(?-i:[A-Z][A-Z0-9]{1,30}_[A-Z0-9_]{1,60})) (?:is |must be |was )?(?:not (?:set|defined)"
                r"|missing|required|set\b|unset))|NoRegionError|You must specify a region",
                "keyerror|not set|not defined|missing|required|must be set|unset|region",
            ),
        ),
        cause="A setting that the code reads from its environment is not there.",
        advice="Set it where the run starts (CI job, container, shell).",
    ),
    Rule(
        "method-not-of-this-library",
        TEST,
        GUESS + 2,
        0.5,
        (
            said(
                r"AttributeError: '(?P<type>(?-i:[A-Z]\w{1,60}))' object has no attribute '(?P<name>\w{1,80})'",
                "object has no attribute",
            ),
        ),
        cause="The code uses '{name}' of a {type}, which does not have it (in this version).",
        advice="Compare with the class in the installed version: a misspelled name, a missing set-up step, or another version.",
        unless=(said(r"'NoneType'", "'nonetype'"),),
    ),
    Rule(
        "error-in-keyword-code",
        TEST,
        GUESS,
        0.5,
        (
            said(
                r"^(?:[^\n]{0,60}failed:\n)?(?P<error>(?:Type|Value|Lookup|Attribute|UnboundLocal|NotImplemented|ZeroDivision|Arithmetic"
                r"|Overflow)Error): (?P<problem>[^\n]{1,140})",
                "error: ",
            ),
        ),
        cause="The code of a keyword failed on the values it was given ({error}: {problem}).",
        advice="Run with log level DEBUG for the traceback, and look at the arguments of the keyword in the log.",
        unless=(said(r"NoneType|expected string or bytes-like", "nonetype|expected string"),),
    ),
)
