"""Robot could not load something: libraries, resource and variable files."""

from .clues import KEYWORD_GONE
from .engine import CAUSE, CONFIG, DEPENDENCY, TEST, Rule, imported, loaded, said

FAILED = (
    r"(?:Importing|Initializing|Getting keyword names from) (?:test )?(?:library|variable file) '(?P<library>[^'\n]{1,300})'"
    r"[^\n]{0,300} failed:"
)

RULES = (
    Rule(
        "import-needs-environment-variable",
        CONFIG,
        CAUSE,
        0.85,
        (
            imported(
                r"(?P<quote>Environment variable '%?[{]?(?P<variable>\w{1,80})[}]?' (?:not found|does not exist)"
                r"|(?P<variable2>\w{1,80}) environment variable (?:is )?(?:not set|missing|not found|required))"
                r"|KeyError: '(?P<variable3>(?-i:[A-Z][A-Z0-9]{0,30}_[A-Z0-9_]{1,60}))'",
                "environment variable|keyerror",
            ),
        ),
        cause="Something the tests import needs an environment variable that this run does not have.",
        advice="Set the variable where the run starts (CI job, container, shell), or give it a default in the test data.",
    ),
    Rule(
        "import-lacks-file",
        CONFIG,
        CAUSE,
        0.66,
        (
            imported(
                FAILED + r" (?P<problem>[^\n]{0,160}(?:FileNotFoundError|No such file or directory|(?:failed|unable|could not"
                r"|cannot|can't) (?:to )?(?:find|locate|open|read) [^\n]{0,60}(?:file|path|folder|directory|\.\w{2,4}\b))"
                r"[^\n]{0,120})",
                "importing |initializing ",
            ),
        ),
        cause="While the library '{library}' was imported, a file that it needs was not found: {problem}",
        advice="Put the file where the library looks for it, or correct the path it is given (settings, working folder).",
    ),
    Rule(
        "import-lacks-credential",
        CONFIG,
        CAUSE,
        0.75,
        (
            imported(
                FAILED + r"[^\n]{0,300}(?:invalid_client|invalid_grant|unauthorized|invalid api key|api[_ ]key|credentials?"
                r"|access denied|authentication)",
                "invalid_client|invalid_grant|unauthorized|api|credential|access denied|authentication",
            ),
        ),
        cause="The library '{library}' could not be set up: its credentials are missing or refused.",
        advice="Give this run valid credentials for what '{library}' connects to when it is imported.",
    ),
    Rule(
        "imported-file-missing",
        CONFIG,
        CAUSE,
        0.82,
        (
            imported(
                r"(?P<kind>Resource file|Variable file|Library) '(?P<file>[^'\n]{1,300})' does not exist",
                "does not exist",
            ),
        ),
        cause="The imported file '{file}' does not exist at that path, so what it defines is missing.",
        advice="Correct the path (it is relative to the importing file, then to --pythonpath), restore the file, and mind "
        "letter case.",
        support=(KEYWORD_GONE,),
    ),
    Rule(
        "resource-file-has-tests",
        TEST,
        CAUSE,
        0.88,
        (imported(r"Resource file with '(?:Test Cases|Tasks?)' section is invalid", "section is invalid"),),
        cause="A suite file with a test section is imported as a resource, which Robot refuses, so its keywords are missing.",
        advice="Move the shared keywords into a resource file without a '*** Test Cases ***' section and import that.",
    ),
    Rule(
        "python2-syntax",
        DEPENDENCY,
        CAUSE + 1,
        0.8,
        (
            loaded(
                r"Missing parentheses in call to '?(?:print|exec)|multiple exception types must be parenthesized"
                r"|inconsistent use of tabs and spaces|leading zeros in decimal integer literals"
                r"|name '(?:unicode|basestring|xrange|raw_input|reload|unichr|long|execfile|reduce)' is not defined",
                "missing parentheses|multiple exception types|inconsistent use of tabs|leading zeros|is not defined",
            ),
        ),
        cause="Python 2 code is run by Python 3.",
        advice="Port the code to Python 3, or install a version of the library that supports it.",
    ),
    Rule(
        "own-library-syntax-error",
        TEST,
        CAUSE,
        0.75,
        (
            imported(
                FAILED + r" (?:Syntax|Indentation|Tab)Error: (?P<problem>[^\n]{1,120})", "syntaxerror|indentationerror|taberror"
            ),
        ),
        cause="The test library '{library}' has a syntax error ({problem}), so it cannot be imported and its keywords are missing.",
        advice="Correct the syntax of the file; run 'python -m py_compile' on it.",
    ),
    Rule(
        "library-import-arguments",
        TEST,
        CAUSE,
        0.87,
        (imported(r"[Ll]ibrary '(?P<library>[^'\n]{1,200})' expected (?P<arguments>[^\n]{1,100})", "' expected "),),
        cause="The library '{library}' is imported with the wrong number of arguments: it expected {arguments}",
        advice="Correct the arguments in the Library setting; blanks inside one argument need care, two or more separate "
        "arguments.",
    ),
    Rule(
        "yaml-support-missing",
        DEPENDENCY,
        CAUSE + 1,
        0.94,
        (loaded(r"YAML (?:variable )?files requires? PyYAML", "pyyaml"),),
        cause="A YAML variable file is used, but PyYAML is not installed.",
        advice="Install PyYAML into the environment that runs robot.",
    ),
    Rule(
        "duplicate-keyword-lost",
        TEST,
        CAUSE,
        0.9,
        (
            imported(r"Creating keyword '(?P<keyword>[^'\n]{1,120})' failed: (?P<problem>[^\n]{1,100})", "creating keyword"),
            said(r"Keyword with same name|No keyword with name", "keyword with same name|no keyword with name"),
        ),
        cause="The keyword '{keyword}' could not be created: {problem}",
        advice="Correct the definition of the keyword '{keyword}'; each name may be defined once in a file.",
    ),
    Rule(
        "variable-file-broken",
        CONFIG,
        CAUSE,
        0.65,
        (
            loaded(
                r"(?P<quote>(?:Importing|Processing|Reading) variable file '(?P<file>[^'\n]{1,200})'[^\n]{0,200} failed: "
                r"(?P<problem>[^\n]{1,120}))",
                "variable file",
            ),
        ),
        cause="The variable file '{file}' could not be read ({problem}), so its variables are missing.",
        advice="Correct the variable file, or the arguments it is given.",
    ),
    Rule(
        "resource-file-unreadable",
        TEST,
        CAUSE,
        0.65,
        (
            imported(
                r"(?:Parsing|Reading|Importing|Getting) (?:resource )?(?:file"
                r"|model)[^\n]{0,20}'?(?P<file>[^'\n]{0,200})'? failed: (?P<problem>[^\n]{1,120})",
                "failed",
            ),
        ),
        cause="The resource file '{file}' could not be read: {problem}",
        advice="Correct the file; it must be UTF-8 text.",
    ),
    Rule(
        "library-of-other-robot-version",
        DEPENDENCY,
        CAUSE - 2,
        0.7,
        (
            imported(
                r"Adding keyword '[^'\n]{1,120}' to library '(?P<library>[^'\n]{1,200})' failed: "
                r"Calling dynamic method '(?P<method>\w{1,60})' failed: (?P<problem>[^\n]{1,120})",
                "dynamic method",
            ),
            KEYWORD_GONE,
        ),
        cause="The library '{library}' gives Robot another answer from '{method}' than this version of Robot takes: {problem}",
        advice="Install a version of '{library}' that was made for the installed Robot Framework.",
    ),
    Rule(
        "library-import-failed",
        TEST,
        CAUSE - 5,
        0.55,
        (imported(FAILED + r" (?P<problem>[^\n]{1,160})", "importing |initializing "),),
        cause="The library '{library}' could not be imported ({problem}), so its keywords are missing.",
        advice="Correct what the traceback of the import points to; robot --dryrun shows it quickly.",
        support=(KEYWORD_GONE,),
    ),
    Rule(
        "library-has-no-keywords",
        TEST,
        CAUSE - 6,
        0.7,
        (imported(r"Imported library '(?P<library>[^'\n]{1,200})' contains no keywords", "contains no keywords"), KEYWORD_GONE),
        cause="The library '{library}' was imported but offers no keywords: the class has another name, or decorators hide them.",
        advice="Name the class like its module (or import module.Class), or mark the keywords with @keyword.",
    ),
)
