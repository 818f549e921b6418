"""Checks that failed. Whether test or product is wrong can only be told where the values or the check's own words say so."""

from .engine import CODE, GENERAL, GUESS, PRECISE, TEST, Rule, said

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
        "error-text-in-value",
        CODE,
        GENERAL,
        0.6,
        (
            said(
                r"(?P<quote>Traceback \(most recent call last\)[^\n]{0,80}"
                r"|\b\w{0,40}Exception: [^\n]{1,120})[^\x00]{0,1500}(?:!=|does not contain|should (?:be|contain|not))",
                "traceback|exception",
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
        "text-not-there-yet",
        TEST,
        GUESS + 1,
        0.52,
        (
            said(
                r"(?:The text of element|Element) '[^\n]{1,120}' should have (?:been"
                r"|contained)(?: text)? '[^\n]{1,120}',? (?:but it was|but its text was|but was|in fact it was) ''",
                "should have",
            ),
        ),
        cause="The element has no text at the moment of the check, most often because the page has not filled it yet.",
        advice="Wait for the text (Wait Until Element Contains) before it is checked.",
    ),
)
