"""Robot Framework itself: keywords, syntax, timeouts, stopped runs."""

from .engine import CAUSE, FATAL, GENERAL, GUESS, INFRA, PRECISE, TEST, Rule, anywhere, running, said

_NO_KEYWORD = r"No keyword with name '"
_NO_KEYWORD_HINT = "no keyword with name"

RULES = (
    Rule(
        "keyword-and-argument-one-space",
        TEST,
        CAUSE + 5,
        0.95,
        (
            said(
                _NO_KEYWORD + r"(?P<keyword>[^'\n]{1,80}) (?P<argument>[^\n]{1,100})' found\. Did you mean:(?: "
                r"[^\n]{0,80}){0,4} (?:[^\n]{0,60}\.)?(?P=keyword)(?:\n|$)",
                _NO_KEYWORD_HINT,
            ),
        ),
        cause="The keyword '{keyword}' and its argument '{argument}' are separated by one space only, so Robot takes all of it "
        "for the name.",
        advice="Separate the keyword and each of its arguments with at least two spaces.",
    ),
    Rule(
        "argument-glued-to-keyword",
        TEST,
        CAUSE + 4,
        0.92,
        (
            said(
                _NO_KEYWORD + r"(?P<name>[^'\n]{1,80}(?: [$@&]\{| (?:\d{1,9}|https?://[^\n]{1,80}|(?:id|css|xpath|name|text"
                r"|class|link)[:=][^\n]{1,80})'| \w{1,30}=)[^\n]{0,100})",
                _NO_KEYWORD_HINT,
            ),
        ),
        cause="'{name}' holds a keyword and an argument with one space between them, so Robot looks for a keyword of that "
        "whole name.",
        advice="Separate the keyword and each of its arguments with at least two spaces.",
        unless=(said(_NO_KEYWORD + r"(?:[$@&%]\{|\w{1,40}=)", _NO_KEYWORD_HINT),),
    ),
    Rule(
        "cell-run-as-keyword",
        TEST,
        CAUSE + 4,
        0.92,
        (
            said(
                _NO_KEYWORD + r"(?P<name>(?:\w{1,40}=|[$@&%]\{|AND |OR |and |or |==|!=|\.\.|\\|#|/|//|id[:=]|css[:=]|xpath[:=]"
                r"|https?:|-)[^\n]{0,120}?)' found",
                _NO_KEYWORD_HINT,
            ),
        ),
        cause="The text '{name}' is not a keyword: a line is broken or indented wrongly, so that an argument stands where a "
        "keyword should.",
        advice="Put the arguments on the line of their keyword, or continue the line with '...'.",
    ),
    Rule(
        "old-for-syntax",
        TEST,
        CAUSE + 5,
        0.92,
        (
            said(
                r"(?P<quote>Support for the old FOR loop syntax has been removed|No keyword with name '(?:\\"
                r"|: ?FOR)[^\n]{0,20}' found)",
                "old for loop|no keyword with name",
            ),
        ),
        cause="The test data uses the FOR loop syntax from before Robot Framework 3.1 (':FOR' and backslashes), which is no "
        "longer accepted.",
        advice="Write 'FOR ... END' without backslashes; 'robotidy' converts whole folders.",
    ),
    Rule(
        "control-word-as-keyword",
        TEST,
        CAUSE + 4,
        0.9,
        (
            said(
                r"(?:No keyword with name|Reserved keyword)? ?'(?P<word>(?:end )?(?:if|else(?: if)?|for|while|try|except"
                r"|finally|continue|break|return|end|var|elif|loop))'(?: (?:found|is (?:a )?reserved keyword)|$)",
                "no keyword with name|reserved keyword",
            ),
        ),
        cause="'{word}' is meant as a control word, but in this spelling or place (or this Robot version) it is an ordinary "
        "keyword name.",
        advice="Write control words in capitals and close each block with END; check that the installed Robot version knows "
        "the word.",
    ),
    Rule(
        "keyword-found-twice",
        TEST,
        PRECISE,
        0.93,
        (said(r"Multiple keywords with name '(?P<keyword>[^'\n]{1,120})' found\.", "multiple keywords with name"),),
        cause="Several imported files or libraries have a keyword '{keyword}', and the call does not say which one is meant.",
        advice="Give the full name (owner.{keyword}), use Set Library Search Order, or rename one of the keywords.",
    ),
    Rule(
        "keyword-matches-several-patterns",
        TEST,
        PRECISE,
        0.93,
        (said(r"Multiple keywords matching name '(?P<keyword>[^'\n]{1,160})' found", "multiple keywords matching name"),),
        cause="'{keyword}' matches several keywords with embedded arguments, so the call is ambiguous.",
        advice="Make the embedded arguments stricter with a custom pattern, or quote them.",
    ),
    Rule(
        "keyword-defined-twice",
        TEST,
        PRECISE,
        0.93,
        (
            said(
                r"Keyword with same name defined multiple times|Library '[^'\n]{1,100}' defines keyword [^\n]{1,80} multiple times",
                "multiple times",
            ),
        ),
        cause="The called keyword is defined more than once in the same file, and Robot fails each call of such a keyword.",
        advice="Remove or rename the second definition.",
    ),
    Rule(
        "keyword-forgot-whitespace",
        TEST,
        PRECISE + 2,
        0.85,
        (
            said(
                r"(?P<quote>"
                + _NO_KEYWORD
                + r"(?P<name>[^\n]{1,120})' found\.) Did you try using keyword '(?P<keyword>[^'\n]{1,80})'",
                "did you try using keyword",
            ),
        ),
        cause="There is no keyword '{name}'; Robot suspects '{keyword}' with too few spaces before its argument.",
        advice="Separate '{keyword}' and its arguments with at least two spaces, or import the file that defines '{name}'.",
    ),
    Rule(
        "keyword-misspelled",
        TEST,
        PRECISE + 2,
        0.87,
        (
            said(
                r"(?P<quote>" + _NO_KEYWORD + r"(?P<name>[^\n]{1,120})' found\.) Did you mean: (?P<suggestion>[^\n]{1,100})",
                "did you mean",
            ),
        ),
        cause="There is no keyword '{name}'; the nearest one that is imported is '{suggestion}'.",
        advice="Correct the name, or import the file or library that defines it.",
    ),
    Rule(
        "keyword-not-found",
        TEST,
        PRECISE + 1,
        0.82,
        (said(_NO_KEYWORD + r"(?P<name>[^\n]{1,120}?)' found", _NO_KEYWORD_HINT),),
        cause="The keyword '{name}' is not defined: it is misspelled, or the file or library that has it is not imported.",
        advice="Correct the name, or import the resource file or library that defines '{name}'.",
    ),
    Rule(
        "library-not-imported",
        TEST,
        PRECISE,
        0.82,
        (said(r"No library '(?P<library>[^'\n]{1,100})' found", "no library '"),),
        cause="The library '{library}' is asked for by name but is not imported in this suite.",
        advice="Import '{library}' in the suite that uses it, or correct the name it is asked for.",
    ),
    Rule(
        "invalid-test-data",
        TEST,
        PRECISE,
        0.92,
        (
            said(
                r"(?:Setting '[^'\n]{1,60}' (?:is not (?:allowed|a valid)|accepts only|used multiple times)|Non-existing setting"
                r"|Unrecognized section header|Invalid (?:argument specification|argument syntax|variable name|setting"
                r"|syntax for|value for option|number of loop variables)|(?-i:FOR|WHILE) loop (?:has|cannot|must|contains|was"
                r"|have)|Number of FOR loop|(?-i:\b(?:IF|ELSE|ELSE IF|TRY|EXCEPT|FINALLY|GROUP|END|BREAK|CONTINUE"
                r"|RETURN)) (?:branch )?(?:cannot|must|is not|can only|does not accept|has no|branches?)|(?:Test|User keyword"
                r"|Keyword|Task)(?: case)? (?:contains no keywords|cannot be empty"
                r"|name cannot be empty)|(?:IF|ELSE|TRY|FOR|WHILE|GROUP)(?: branch| loop)? has (?:an )?empty (?:body|branch)"
                r"|table not allowed in|Keyword '[^'\n]{1,80}' can(?:not| only) be used |Invalid positional"
                r"|Unsupported (?:setting|marker)|Multiple (?:EXCEPT|ELSE|FINALLY))",
                "setting|section|invalid |loop|branch|cannot|must|contains no|is not|can only|does not accept|has no"
                "|unsupported|multiple |has empty|has an empty|not allowed in",
            ),
        ),
        cause="The test data has a syntax error, so Robot refuses to run this part.",
        advice="Correct the marked line; robot --dryrun and Robocop find the rest without running anything.",
    ),
    Rule(
        "endless-recursion",
        TEST,
        PRECISE,
        0.92,
        (said(r"Maximum limit of started keywords[^\n]{0,80}exceeded", "maximum limit"),),
        cause="A keyword calls itself, directly or through others, without an end.",
        advice="Give the recursion an end or use a loop; two keywords of the same name calling each other are a common reason.",
    ),
    Rule(
        "while-limit",
        TEST,
        PRECISE + 1,
        0.6,
        (
            said(
                r"WHILE loop was aborted because it did not finish within the limit of (?P<limit>[^\n.]{1,60})",
                "while loop was aborted",
            ),
        ),
        cause="The condition of the WHILE loop did not become false within {limit}.",
        advice="See in the log what the condition waits for; correct it, or raise the limit.",
    ),
    Rule(
        "session-not-created-in-test",
        TEST,
        PRECISE,
        0.85,
        (
            said(
                r"Non-existing index or alias '(?P<alias>[^'\n]{1,80})'|No (?:open|active) (?:connection|session)"
                r"|No connection open"
                r"|Connection with alias '?(?P<name>[^'\n]{1,60})'? (?:not found|does not exist)|No database connection is open"
                r"|Process '[^'\n]{1,60}' not found",
                "non-existing index|no open|no active|no connection open|connection with alias|no database connection",
            ),
        ),
        cause="The test uses a connection, session or process that was never opened under that name (or is closed already).",
        advice="Open it in the setup of the same test or suite, under the same alias, and see that the opening passed.",
    ),
    Rule(
        "called-before-set-up",
        TEST,
        GENERAL,
        0.6,
        (
            said(
                r"was never (?:successfully )?(?:run|initiali[sz]ed|called|opened|started)"
                r"|(?:is|was|has) not (?:been )?(?:initiali[sz]ed|connected|logged in|set up)\b"
                r"|(?:call|use|run) [`'\"][\w .]{1,40}[`'\"] (?:first|before)"
                r"|'NoneType' object has no attribute '(?:cursor|commit|rollback|exec_command|open_session|open_sftp\w{0,10}"
                r"|invoke_shell|find_elements?|recv|sendall|publish|subscribe|poll)'",
                "never|not |call |use |run |nonetype",
            ),
        ),
        cause="Something is used before it was set up.",
        advice="Run the step that sets it up in the setup of this test or suite, and see that this step passed for this "
        "environment.",
    ),
    Rule(
        "sleep-over-timeout",
        TEST,
        PRECISE,
        0.62,
        (
            said(r"(?:Test|Keyword|Task) timeout (?P<limit>[^\n]{1,60}) exceeded", "timeout "),
            running(r"BuiltIn\.Sleep|(?:Wait Until|Wait For|Wait Until Keyword Succeeds)", "sleep|wait "),
        ),
        cause="The test was still waiting when its timeout of {limit} was over: the awaited state did not come in time, or the "
        "limit is too short.",
        advice="See what was being waited for; wait for a condition instead of a time, or give the test a longer timeout.",
    ),
    Rule(
        "remote-call-over-timeout",
        INFRA,
        PRECISE,
        0.6,
        (
            said(r"(?:Test|Keyword|Task) timeout (?P<limit>[^\n]{1,60}) exceeded", "timeout "),
            running(
                r"(?P<keyword>(?:RequestsLibrary|SSHLibrary|DatabaseLibrary|Telnet|Remote|pabot[\w.]{0,20})\.[^\n]{1,60}"
                r"|[\w.]{0,30}(?:Open Browser|New Browser|New Page|Go To|Open Connection|Open Application|Connect To Database))",
                "requestslibrary|sshlibrary|databaselibrary|telnet|remote|pabot|open |new |go to|connect",
            ),
        ),
        cause="'{keyword}' did not return before the timeout of {limit}: the other side did not answer, or answered too slowly.",
        advice="Check that the other side is up and how loaded it is; give the keyword its own shorter timeout to fail with a "
        "clearer message.",
    ),
    Rule(
        "run-stopped-by-signal",
        INFRA,
        GUESS + 5,
        0.68,
        (said(r"Execution terminated by signal", "terminated by signal"),),
        cause="The run was stopped from outside by a signal (a CI time limit, a cancelled job, Ctrl-C) while this test was "
        "running.",
        advice="Look into the CI job for who stopped it and when; if it was a time limit, see which keyword was still running.",
    ),
    Rule(
        "remote-library-unreachable",
        INFRA,
        FATAL - 5,
        0.85,
        (
            anywhere(
                r"Connection to remote server broken: [^\n]{1,160}"
                r"|Connecting remote server at (?P<server>[^\n]{1,100}) failed[^\n]{0,160}"
                r"|Calling dynamic method 'get_keyword_names' failed: Connecting remote server[^\n]{1,160}"
                r"|to library 'Remote[^'\n]{0,60}' failed: Calling dynamic method[^\n]{1,160}",
                "remote server|to library 'remote",
            ),
        ),
        cause="The server of a Robot remote library (or of pabot) could not be reached or broke off.",
        advice="See that the remote server is started before the run and still alive; its own log says why it ended.",
    ),
    Rule(
        "expected-error-other",
        TEST,
        GENERAL,
        0.55,
        (said(r"Expected error '(?P<expected>[^\n]{1,160}?)' but got '(?P<actual>[^\n]{1,200}?)'", "expected error '"),),
        cause="The step failed as the test expects, but with another message: '{actual}'.",
        advice="If the new message is right, adapt the expectation (a pattern with GLOB: is less brittle); else look into what "
        "failed instead.",
    ),
)
