"""Checks that failed. Whether test or product is wrong can only be told where the values or the check's own words say so."""

from .clues import INVALID_INPUT
from .engine import CODE, CONFIG, GENERAL, GUESS, PRECISE, TEST, Rule, anywhere, logged, running, said

_TOLD = (  # a check that says in its own words who gave the value
    r"\bexpected [^\n]{1,160} (?:but|got|and) [^\n]{0,30}\b(?:api|server|service|response|endpoint|page|application|app|backend"
    r"|device) (?:has )?(?:returned|shows?|showed|gave|answered|displayed|displays|sent|contains|contained) [^\n]{1,120}"
    r"|AssertionError: (?:the )?(?:api|server|service|endpoint|application|backend) (?:returned|shows?|showed|gave|answered|sent"
    r"|accepted) [^\n]{1,120}"
)
_LINE = r"(?<![^\n])(?:\d{1,3}\) )?(?:[^\n]{0,120}:[^\S\n])?"  # a failure of its own, or one of several
_SUCCESS = r"\b(?:success(?:ful(?:ly)?)?|sucesso|[eé]xito|erfolgreich|succ[eè]s)\b"
_LOCATOR = r"(?:(?:xpath|css)[:=][^\n]{1,120}|\(?//[\w*]{1,40}[\[/][^\n]{1,120})"
_COMMAND_FAILED = said(  # the exit code of a command is compared with 0
    r"^(?:[^\n]{1,120}: )?(?:[1-9]|[1-9]\d|1[013]\d|12[0-58]|255)(?:\.0)? != 0(?:\.0)?$", " != 0"
)

RULES = (
    Rule(
        "types-differ",
        TEST,
        PRECISE,
        0.78,
        (
            said(
                r"\b(?P<value>[^\n]{1,80}) \((?:string|str|integer|int|float|boolean|bool|NoneType"
                r"|bytes)\) != (?P=value) \(\w{1,30}\)",
                " != ",
            ),
        ),
        cause="Both sides are {value} but of different types, so they are not equal.",
        advice="Compare with Should Be Equal As Strings (or As Integers), or convert one side.",
    ),
    Rule(
        "only-spelling-differs",
        TEST,
        PRECISE - 2,
        0.6,
        (said(r"^(?:[^\n]{0,80}: )?(?P<value>[^\n!=]{2,120}) {0,1}!= {0,1}(?P=value) {0,1}$", "!="),),
        cause="Both sides read the same but for letter case or blanks.",
        advice="Compare with ignore_case=True or strip_spaces=True if the difference does not matter; else it is a defect of "
        "the product's texts.",
    ),
    Rule(
        "two-constants-compared",
        TEST,
        PRECISE + 1,
        0.72,
        (
            said(_LINE + r"(?P<first>[^\n!=]{1,80}) != (?P<second>[^\n!=]{1,80})(?![^\n])", " != "),
            running(r"^BuiltIn\.Should Be Equal(?: As \w{1,10})? [^$@&%\n]{3,240}$", "should be equal"),
        ),
        cause="The test compares two texts that are both written in it, {first} and {second}: no variable takes part.",
        advice="Put the variable that holds the actual value in place of one of them.",
    ),
    Rule(
        "path-instead-of-its-value",
        TEST,
        PRECISE,
        0.72,
        (
            said(
                _LINE + r"\$(?:\.|\[)[\w.\[\]'*$]{1,80} != [^\n]{1,120}"
                r"|" + _LINE + r"(?:" + _LOCATOR + r" != [^\n]{1,120}|[^\n]{1,160} != " + _LOCATOR + r"(?![^\n]))",
                " != ",
            ),
        ),
        cause="A path or locator itself was compared, not the value that it leads to.",
        advice="Take the value first (Get Text, or the keyword of the JSON or REST library), and compare that.",
    ),
    Rule(
        "argument-name-in-value",
        TEST,
        PRECISE,
        0.7,
        (
            said(
                _LINE + r"(?:(?P<name>[a-z]\w{1,40})=[^\n=!]{1,120} != [^\n=]{1,160}"
                r"|[^\n=!]{1,160} != (?P<name2>[a-z]\w{1,40})=[^\n=]{1,120})(?![^\n])",
                " != ",
            ),
        ),
        cause="The name of an argument is part of the value that is compared: the keyword has no argument of that name, so all of "
        "the text was taken for the value.",
        advice="Correct the name of the argument in the call, or leave it out.",
    ),
    Rule(
        "list-compared-with-its-element",
        TEST,
        PRECISE,
        0.8,
        (
            said(
                _LINE + r"(?:"
                r"\[['\"]?(?P<value>[^\n'\"]{1,120})['\"]?\] (?:\(list\) )?!= ['\"]?(?P=value)['\"]?(?: \(\w{1,12}\))?(?![^\n])"
                r"|['\"]?(?P<value2>[^\n'\"]{1,120})['\"]? (?:\(\w{1,12}\) )?!= \[['\"]?(?P=value2)['\"]?\])",
                "] != |] (list) != | != [",
            ),
        ),
        cause="A list of one element is compared with that element, so they are not equal.",
        advice="Take the element out of the list first: ${{value}}[0]. JSON path keywords return lists.",
    ),
    Rule(
        "text-stands-in-its-pattern",
        TEST,
        PRECISE,
        0.76,
        (
            said(
                _LINE + r"'(?P<value>[^'\n]{3,160})' does not match (?:regexp )?"
                r"'[^'\n]{0,160}(?P=value)[^'\n]{0,160}'(?![^\n])",
                "does not match",
            ),
        ),
        cause="The text stands word for word in the pattern that it does not match, so the pattern is not what this keyword takes "
        "for one.",
        advice="Should Match knows *, ? and [] only; alternatives need Should Match Regexp and (a|b), and signs that are meant as "
        "text must be escaped.",
    ),
    Rule(
        "success-where-refusal-was-due",
        CODE,
        PRECISE - 1,
        0.56,
        (
            said(
                r"(?:!= |but (?:in fact )?(?:its text was|it was|was|got) '?)[^\n!=]{0,80}" + _SUCCESS + r"[^\n]{0,120}"
                r"|(?:^|: |')[^\n!=']{0,80}" + _SUCCESS + r"[^\n!=']{0,80}'?(?: !=| should | does not )[^\n]{1,120}",
                "success|sucesso|xito|erfolgreich|succ",
            ),
            INVALID_INPUT,
        ),
        cause="The product reports success for what the test gives it as invalid.",
        advice="Check the requirement; if the input is to be refused, the product lacks the check.",
        unless=(said(_SUCCESS + r"[^\n]{1,160}" + _SUCCESS, "success|sucesso|xito|erfolgreich|succ"),),
    ),
    Rule(
        "refusal-did-not-happen",
        CODE,
        PRECISE,
        0.66,
        (
            said(
                r"(?P<check>[^\n]{0,120}(?:should|must) (?:not (?:work|be (?:possible|allowed|accepted|created|able)|succeed"
                r"|accept|pass)|(?:fail|be (?:refused|rejected|denied|invalid)))[^\n]{0,80}): [^\n]{1,60} (?:!=|==) [^\n]{1,60}"
                r"|(?:PASS|OK|success|true) != (?:FAIL|ERROR|failure|error|false)\b",
                "should |must | != ",
            ),
        ),
        cause="The product accepted what the test expects it to refuse.",
        advice="Check the requirement; if the refusal is right, the product lacks the check.",
    ),
    Rule(
        "broken-value-shown",
        CODE,
        PRECISE,
        0.64,
        (
            said(
                r"(?:^|[\n:(] ?|\b(?:but|and|page|it) (?:\w{1,12} ){0,2}(?:is|was|shows?|showed|got|gave|returned|had"
                r"|contained):? )"
                r"(?P<quote>[^\n!=]{0,20}['\"]?(?P<value>(?-i:\bNaN|\bundefined|\[object Object\]|\bInvalid Date\b"
                r"|\{\{ ?[\w.]{1,40} ?\}\}))[^\n!=]{0,20}(?: != [^\n]{1,80}|$|\n))",
                "nan|undefined|[object object]|invalid date|{{",
            ),
        ),
        cause="The product shows '{value}' where a value belongs: it works with something that is missing or was not filled in.",
        advice="Look where the product fills this value in; an input that is missing there is a usual reason.",
        unless=(
            said(
                r"[$@&%]\{|\bEvaluat|JavascriptException|codec can't (?:en|de)code",
                "${|@{|&{|%{|evaluat|javascriptexception|codec can't",
            ),
        ),
    ),
    Rule(
        "answer-breaks-its-schema",
        CODE,
        GENERAL,
        0.52,
        (
            said(
                r"(?P<quote>'[^'\n]{1,60}' is a required property|[^\n]{1,80} is not (?:of type|one of) [^\n]{1,80}"
                r"|Additional properties are not allowed[^\n]{0,100}|required properties [^\n]{1,80} (?:are )?missing)",
                "required propert|is not of type|is not one of|additional properties",
            ),
            anywhere(r"schema|ValidationError|status=2\d\d", "schema|validationerror|status=2"),
        ),
        cause="What the product answered does not have the form that is laid down for it.",
        advice="Compare the answer with the schema: correct the product, or the schema where the form was changed on purpose.",
    ),
    Rule(
        "product-gave-other-value",
        CODE,
        GUESS + 2,
        0.46,
        (
            said(
                r"(?:^|: |\n)(?![+-]?\d{1,12}(?:\.0)? (?:\(\w{1,20}\) )?!=|[^\n]{0,120}[$@&%]\{)[^\n!]{1,120} != [^\n]{1,120}"
                r"|(?:^|: |\n)'(?![^\n]{0,120}[$@&%]\{)[^'\n]{1,120}' (?:should (?:not )?(?:be|equal|contain|match)"
                r"|does not (?:contain|match)|contains) [^\n]{1,120}|Dictionary contains key [^\n]{1,80}|" + _TOLD,
                " != |should |not contain|not match|contains |expected |assertionerror",
            ),
            anywhere(
                r"status=2\d\d, reason=|\bText: '|<Response \[2\d\d\]>|(?:response|status)[ _]code ?[:=] ?2\d\d\b"
                r"|[\"']message[\"']: ?[\"']2\d\d OK|" + _TOLD,
                "status=2|text: '|<response [2|response code|response_code|status code|status_code|message|expected "
                "|assertionerror",
            ),
        ),
        cause="The product answered, but with another value than the test expects.",
        advice="Compare both with the requirement: the value may be a defect of the product, or the expectation out of date.",
    ),
    Rule(
        "error-text-in-value",
        CODE,
        GENERAL,
        0.6,
        (
            said(
                r"(?P<quote>Traceback \(most recent call last\)[^\n]{0,80}"
                r"|\b\w{0,40}Exception: [^\n]{1,120}"
                r"|[\"'](?:description|error|message|exception|detail)[\"']: ?[\"'][^\n]{0,60}(?:error|exception|failed|failure)\b"
                r"[^\n]{0,120})[^\x00]{0,1500}(?:!=|does not contain|should (?:be|contain|not))",
                "traceback|exception|error|failed|failure",
            ),
        ),
        cause="The checked output holds an error of the program under test instead of the expected text.",
        advice="Correct the error that the output names.",
    ),
    Rule(
        "product-reports-error",
        CODE,
        GUESS + 2,
        0.55,
        (said(r"(?:^|\n|: )(?:fatal )?error (?:[A-Z]{1,4}\d{1,6})(?:: | -)[^\n]{1,160}", "error "),),
        cause="The tool under test refused its input with an error of its own.",
        advice="Correct what the message names in the files the tool was given.",
    ),
    Rule(
        "command-not-let-in",
        CONFIG,
        GENERAL + 1,
        0.58,
        (
            _COMMAND_FAILED,
            logged(
                r"(?P<quote>[^\n]{0,160}\b(?:unauthori[sz]ed|authentication (?:is )?(?:required|failed)|access (?:is )?denied"
                r"|permission denied|not logged in|login (?:incorrect|required)|(?:invalid|bad|no|missing) credentials)\b"
                r"[^\n]{0,160})",
                "unauthori|authentication|denied|logged in|login |credentials",
            ),
        ),
        cause="The command was refused: what it talks to does not accept this user or its rights.",
        advice="Check user, password, token and rights for this environment, and whether a login before this step is needed.",
    ),
    Rule(
        "command-failed-inside",
        CODE,
        GENERAL,
        0.5,
        (
            _COMMAND_FAILED,
            logged(
                r"(?:^|\n|= )(?P<quote>[^\n]{0,160}\b(?:server|internal|unexpected|unhandled|fatal) (?:error|exception)\b"
                r"[^\n]{0,160})",
                "error|exception",
            ),
        ),
        cause="The command of the product ended with an error of its own making.",
        advice="Take the error in its output to the product's developers, with the command line and the product's log.",
    ),
    Rule(
        "text-not-there-yet",
        TEST,
        GUESS + 1,
        0.52,
        (
            said(
                r"^(?:[^\n]{1,120}: )?!= [^\n]{1,160}|\bText '' \(str\) should (?:be|contain) '[^\n]{1,120}'"
                r"|(?:The text of element|Element) '[^\n]{1,120}' should have (?:been"
                r"|contained)(?: text)? '[^\n]{1,120}',? (?:but it was|but its text was|but was|in fact it was) ''",
                "should have|should be|should contain|!= ",
            ),
        ),
        cause="What is checked has no text at the moment of the check, most often because the page has not filled it yet.",
        advice="Wait for the text (Wait Until Element Contains) before it is checked.",
    ),
)
