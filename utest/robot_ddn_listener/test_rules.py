"""The rules: each finds its cause, near misses are left to others or to nobody, and no text can hurt."""

import json
import os
import re
from pathlib import Path

import pytest

from robot_ddn_listener.contract import (
    MAX_EVIDENCE,
    MAX_QUOTE_CHARACTERS,
    Analysis,
    ErrorType,
    ExceptionInfo,
    ExecutionError,
    FailureReport,
    Frame,
    KeywordCall,
    LogLine,
    Run,
    Stage,
    Verdict,
    decode,
    encode,
)
from robot_ddn_listener.rules import ALL_RULES, first_verdict

RULES = {rule.id: rule for rule in ALL_RULES}


def make_report(
    message: str = "",
    *,
    log: tuple[str, ...] = (),
    errors: tuple[str, ...] = (),
    keyword: str = "",
    args: tuple[str, ...] = (),
    test: str = "Order Is Shown",
    exception: ExceptionInfo | None = None,
) -> FailureReport:
    owner, _, name = keyword.rpartition(".")
    return FailureReport(
        id="r-1",
        project="shop",
        fingerprint="f-1",
        run=Run("run-1"),
        suite_name="Shop",
        test_name=test,
        error_message=message,
        keywords=(KeywordCall(name, owner, args=args, status="FAIL"),) if keyword else (),
        log=tuple(LogLine(text) for text in log),
        execution_errors=tuple(ExecutionError(text) for text in errors),
        exception=exception,
    )


def no_keyword(name: str, tail: str = "") -> str:
    return f"No keyword with name '{name}' found.{tail}"


def import_failed(library: str, problem: str) -> str:
    return f"Error in file '/srv/suites/shop.robot' on line 2: Importing library '{library}' failed: {problem}"


def http_error(status: int, reason: str) -> str:
    kind = "Client" if status < 500 else "Server"
    return f"HTTPError: {status} {kind} Error: {reason} for url: https://shop.example/api/orders"


CASES = [
    # imports
    ("python2-only-module", {"message": "ModuleNotFoundError: No module named 'urllib2'"}),
    ("stdlib-module-removed", {"message": no_keyword("Build"), "errors": (import_failed("Tools", "No module named 'distutils'"),)}),
    (
        "library-file-not-under-its-name",
        {
            "message": no_keyword("Pay Order"),
            "errors": (import_failed("/srv/suites/payLibrary.py", "ModuleNotFoundError: No module named 'payLibrary'"),),
        },
    ),
    ("project-module-not-on-path", {"message": "ModuleNotFoundError: No module named 'libraries.shop'"}),
    (
        "module-not-installed",
        {
            "message": no_keyword("Create Session"),
            "errors": (import_failed("RequestsLibrary", "ModuleNotFoundError: No module named 'RequestsLibrary'"),),
        },
    ),
    (
        "circular-import",
        {
            "message": no_keyword("Pay Order"),
            "errors": (import_failed("Pay", "ImportError: cannot import name 'cart' from partially initialized module 'pay'"),),
        },
    ),
    (
        "import-shadowed-or-half-loaded",
        {
            "message": no_keyword("Pay Order"),
            "errors": (import_failed("/srv/lib/pay.py", "AttributeError: module 'cart' has no attribute 'TOTAL'"),),
        },
    ),
    (
        "imported-name-gone",
        {"message": "ImportError: cannot import name 'soft_unicode' from 'markupsafe' (/venv/markupsafe/__init__.py)"},
    ),
    ("own-name-not-importable", {"message": "ImportError: cannot import name 'login' from 'helpers.session'"}),
    (
        "relative-import-without-package",
        {
            "message": no_keyword("Pay Order"),
            "errors": (import_failed("/srv/lib/pay.py", "ImportError: attempted relative import with no known parent package"),),
        },
    ),
    ("shared-library-missing", {"message": "ImportError: libpq.so.5: cannot open shared object file: No such file or directory"}),
    (
        "browser-library-node-missing",
        {
            "message": no_keyword("New Page"),
            "errors": (
                "Error in file 'a.robot' on line 2: Initializing library 'Browser' failed: Couldn't execute node. Install it.",
            ),
        },
    ),
    (
        "import-needs-environment-variable",
        {
            "message": no_keyword("Send Mail"),
            "errors": (
                "Error in file 'a.robot' on line 2: Initializing library 'Mail' with no arguments failed: MAIL_HOST "
                "environment variable is not set",
            ),
        },
    ),
    (
        "import-lacks-credential",
        {
            "message": no_keyword("Send Mail"),
            "errors": (
                "Error in file 'a.robot' on line 2: Initializing library 'Mail' with no arguments failed: invalid_grant: Bad "
                "Request",
            ),
        },
    ),
    (
        "imported-file-missing",
        {
            "message": no_keyword("Log In As Clerk"),
            "errors": ("Error in file '/srv/a.robot' on line 3: Resource file '../common.resource' does not exist.",),
        },
    ),
    (
        "resource-file-has-tests",
        {
            "message": no_keyword("Log In As Clerk"),
            "errors": ("Error in file '/srv/a.robot' on line 3: Resource file with 'Test Cases' section is invalid.",),
        },
    ),
    (
        "python2-syntax",
        {
            "message": no_keyword("Pay Order"),
            "errors": (import_failed("Pay", "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?"),),
        },
    ),
    (
        "installed-package-broken",
        {
            "message": no_keyword("Pay Order"),
            "errors": (
                import_failed(
                    "Pay", "SyntaxError: invalid syntax (core.py, line 9)\n  File '/venv/site-packages/pay/core.py', line 9"
                ),
            ),
        },
    ),
    (
        "own-library-syntax-error",
        {
            "message": no_keyword("Pay Order"),
            "errors": (import_failed("/srv/lib/Pay.py", "IndentationError: unexpected indent (Pay.py, line 4)"),),
        },
    ),
    (
        "library-import-arguments",
        {
            "message": no_keyword("Pay Order"),
            "errors": (
                "Error in file 'a.robot' on line 2: Library 'Pay' expected 1 to 2 arguments, got 3.",
                "Importing library 'x'",
            ),
        },
    ),
    (
        "yaml-support-missing",
        {
            "message": "Variable '${SHOP}' not found.",
            "errors": (
                "Error in file 'a.robot' on line 2: Importing variable file 'v.yaml' failed: YAML variable files require PyYAML.",
            ),
        },
    ),
    (
        "duplicate-keyword-lost",
        {
            "message": "Keyword with same name defined multiple times. No keyword with name 'Pay' found.",
            "errors": (
                "Error in file 'k.resource' on line 9: Creating keyword 'Pay' failed: Keyword with same name defined multiple "
                "times.",
            ),
        },
    ),
    (
        "variable-file-broken",
        {
            "message": "Variable '${SHOP}' not found.",
            "errors": ("Error in file 'a.robot' on line 2: Importing variable file 'vars.py' failed: NameError: oops",),
        },
    ),
    (
        "resource-file-unreadable",
        {
            "message": no_keyword("Log In As Clerk"),
            "errors": ("Error in file 'a.robot' on line 2: Parsing resource file 'k.resource' failed: unreadable text",),
        },
    ),
    (
        "library-import-failed",
        {"message": no_keyword("Pay Order"), "errors": (import_failed("Pay", "RuntimeError: no till is connected"),)},
    ),
    (
        "library-has-no-keywords",
        {"message": no_keyword("Pay Order"), "errors": ("Imported library 'Pay' contains no keywords.",)},
    ),
    # framework
    ("keyword-and-argument-one-space", {"message": no_keyword("Wait Clock 5", " Did you mean:\n    till.Wait Clock")}),
    ("argument-glued-to-keyword", {"message": no_keyword("Pay Order ${order}")}),
    ("cell-run-as-keyword", {"message": no_keyword("amount=${42}")}),
    ("old-for-syntax", {"message": no_keyword(": FOR")}),
    ("control-word-as-keyword", {"message": no_keyword("Else If")}),
    ("keyword-found-twice", {"message": "Multiple keywords with name 'Pay Order' found. Give the full name of the keyword."}),
    ("keyword-matches-several-patterns", {"message": "Multiple keywords matching name 'I pay 5 euros' found:\n    a.I pay ${x}"}),
    ("keyword-defined-twice", {"message": "Keyword with same name defined multiple times."}),
    (
        "keyword-forgot-whitespace",
        {
            "message": no_keyword(
                "Pay Order now",
                " Did you try using keyword 'till.Pay Order' and forgot to use enough whitespace between keyword and arguments?",
            )
        },
    ),
    ("keyword-misspelled", {"message": no_keyword("Pay Ordr", " Did you mean:\n    till.Pay Order")}),
    ("keyword-not-found", {"message": "Keyword 'Pay' failed after retrying 3 times. The last error was: " + no_keyword("Pay")}),
    ("library-not-imported", {"message": "No library 'Till' found."}),
    ("invalid-test-data", {"message": "FOR loop has no loop values."}),
    ("endless-recursion", {"message": "Maximum limit of started keywords and control structures exceeded."}),
    (
        "while-limit",
        {"message": "WHILE loop was aborted because it did not finish within the limit of 100 iterations. Use 'limit'."},
    ),
    ("session-not-created-in-test", {"message": "Non-existing index or alias 'till'."}),
    ("called-before-set-up", {"message": "RuntimeError: the till was never initialized"}),
    ("sleep-over-timeout", {"message": "Test timeout 1 minute exceeded.", "keyword": "BuiltIn.Sleep", "args": ("90s",)}),
    ("remote-call-over-timeout", {"message": "Test timeout 1 minute exceeded.", "keyword": "RequestsLibrary.GET On Session"}),
    ("run-stopped-by-signal", {"message": "Execution terminated by signal"}),
    ("remote-library-unreachable", {"message": "Connection to remote server broken: <Fault 1: 'gone'>"}),
    ("expected-error-other", {"message": "Expected error 'No such order' but got 'Order is closed'."}),
    # values
    ("environment-variable-missing", {"message": "Environment variable 'SHOP_URL' does not exist."}),
    ("setting-variable-missing", {"message": "Variable '${SHOP_PASSWORD}' not found."}),
    ("variable-not-found", {"message": "Variable '${order_line}' not found. Did you mean:\n    ${order}"}),
    ("variable-index-missing", {"message": "List '${lines}' has no item in index 3."}),
    (
        "response-without-expected-field",
        {
            "message": "Resolving variable '${answer.json()['id']}' failed: KeyError: 'id'",
            "log": ("${answer} = <Response [403]>", '{"message": "not for you"}'),
        },
    ),
    (
        "service-error-without-expected-field",
        {"message": "Resolving variable '${answer.json()['id']}' failed: KeyError: 'id'", "log": ("${answer} = <Response [500]>",)},
    ),
    ("variable-expression-failed", {"message": "Resolving variable '${order.total}' failed: AttributeError: no total"}),
    (
        "evaluation-failed",
        {"message": "Evaluating expression 'five > 3' failed: NameError: name 'five' is not defined nor importable"},
    ),
    ("expression-of-test-not-python", {"message": "SyntaxError: invalid syntax (<string>, line 1)"}),
    ("invalid-condition", {"message": "Invalid IF condition: Syntax is wrong"}),
    ("keyword-argument-count", {"message": "Keyword 'till.Pay Order' expected 2 arguments, got 1."}),
    ("keyword-named-argument", {"message": "Keyword 'till.Pay Order' got unexpected named argument 'amuont'."}),
    ("argument-not-convertible", {"message": "ValueError: Argument 'count' got value 'many' that cannot be converted to integer."}),
    ("argument-wrong-kind", {"message": "TypeError: Expected argument 1 to be a list or list-like, got string instead."}),
    ("invalid-time", {"message": "ValueError: Invalid time string 'soonish'."}),
    ("required-value-is-missing", {"message": "TypeError: pay() missing 1 required positional argument: 'amount'"}),
    ("variable-assign-count", {"message": "Cannot set variables: Expected 2 return values, got 3."}),
    # machine
    ("disk-full", {"message": "OSError: [Errno 28] No space left on device: '/tmp/report.pdf'"}),
    ("out-of-memory", {"message": "MemoryError"}),
    ("too-many-open-files", {"message": "OSError: [Errno 24] Too many open files: 'orders.csv'"}),
    ("read-only-or-broken-disk", {"message": "OSError: [Errno 30] Read-only file system: '/etc/till'"}),
    ("docker-daemon-missing", {"message": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?"}),
    ("container-image-missing", {"message": "Error response from daemon: manifest for till:9 not found: manifest unknown"}),
    ("container-gone", {"message": "Error response from daemon: No such container: till"}),
    ("product-crash-looping", {"message": "Pod till-0 is in state CrashLoopBackOff"}),
    ("product-crashed", {"message": "till: Segmentation fault (core dumped)"}),
    (
        "device-busy-or-gone",
        {"message": "SerialException: could not open port '/dev/ttyUSB0': [Errno 2] No such file or directory"},
    ),
    ("no-display", {"message": "TclError: no display name and no $DISPLAY environment variable"}),
    ("permission-denied", {"message": "PermissionError: [Errno 13] Permission denied: '/var/till/orders.csv'"}),
    (
        "program-not-installed",
        {"message": "FileNotFoundError: [Errno 2] No such file or directory: 'java'", "keyword": "Process.Run Process"},
    ),
    ("path-does-not-exist", {"message": "FileNotFoundError: [Errno 2] No such file or directory: 'data/orders.csv'"}),
    ("wrong-encoding-of-system", {"message": "UnicodeEncodeError: 'charmap' codec can't encode character '\\u20ac' in position 3"}),
    ("resource-temporarily-unavailable", {"message": "RuntimeError: can't start new thread"}),
    ("license-missing", {"message": "TillError: Your license has expired"}),
    ("wait-for-external-process", {"message": "TimeoutExpired: Command 'till --export' timed out after 60 seconds"}),
    # network
    ("name-not-resolved", {"message": "gaierror: [Errno -2] Name or service not known"}),
    ("proxy-refused", {"message": "ProxyError: ('Cannot connect to proxy.', OSError('Tunnel connection failed: 403 Forbidden'))"}),
    (
        "kubernetes-not-configured",
        {"message": "The connection to the server localhost:8080 was refused - did you specify the right host or port?"},
    ),
    ("connection-refused", {"message": "ConnectionRefusedError: [Errno 111] Connection refused"}),
    ("network-unreachable", {"message": "OSError: [Errno 113] No route to host"}),
    (
        "connection-broken",
        {"message": "ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection'))"},
    ),
    ("connect-timeout", {"message": "ConnectTimeout: Connection to till.example timed out. (connect timeout=5)"}),
    (
        "read-timeout",
        {"message": "ReadTimeout: HTTPConnectionPool(host='till.example', port=80): Read timed out. (read timeout=5)"},
    ),
    (
        "tls-certificate-not-trusted",
        {"message": "SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate (_ssl.c:997)"},
    ),
    ("tls-versions-differ", {"message": "SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1129)"}),
    ("port-in-use", {"message": "OSError: [Errno 98] Address already in use"}),
    ("host-or-service-does-not-answer", {"message": "The host till-7 is not responding"}),
    ("something-timed-out", {"message": "TillError: the receipt printer timed out"}),
    # web
    ("refusal-expected-but-raised", {"message": http_error(401, "Unauthorized"), "test": "Login With Wrong Password"}),
    ("credentials-refused-by-service", {"message": "Url: https://shop.example/api Expected status: 401 != 200"}),
    ("request-refused-as-invalid", {"message": http_error(422, "Unprocessable Entity")}),
    ("resource-not-at-service", {"message": "404.0 != 200.0"}),
    ("rate-limited", {"message": http_error(429, "Too Many Requests")}),
    ("service-unavailable", {"message": http_error(503, "Service Unavailable")}),
    ("service-unavailable-page", {"message": "Page title should have been 'Shop' but was '502 Bad Gateway'."}),
    ("service-failed-inside", {"message": "Expected status 200 but got 500"}),
    ("server-error-page", {"message": "'Whitelabel Error Page' does not contain 'Welcome'"}),
    ("invalid-accepted-by-service", {"message": "201 != 400"}),
    ("other-success-status", {"message": "201 != 200"}),
    ("url-not-usable", {"message": "MissingSchema: Invalid URL 'None/api': No scheme supplied."}),
    ("login-failed-somewhere", {"message": "AssertionError: Login failed for clerk"}),
    ("token-invalid", {"message": "TillError: the token has expired"}),
    # services
    ("ssh-login-refused", {"message": "Authentication failed for user 'clerk'."}),
    ("ssh-host-key", {"message": "Host key verification failed."}),
    ("ssh-versions-differ", {"message": "SSHException: Incompatible ssh peer (no acceptable kex algorithm)"}),
    ("ssh-server-not-answering", {"message": "SSHException: Error reading SSH protocol banner"}),
    ("prompt-not-seen", {"message": "No match found for '$' in 3 seconds.\nOutput:\nlogin:"}),
    ("database-login-refused", {"message": "OperationalError: (1045, \"Access denied for user 'clerk'@'till'\")"}),
    ("database-unknown", {"message": "OperationalError: (1049, \"Unknown database 'till'\")"}),
    (
        "database-driver-missing",
        {"message": "Error: ('01000', \"Can't open lib 'ODBC Driver 18 for SQL Server' : file not found\")"},
    ),
    ("database-unreachable", {"message": "OperationalError: (2003, \"Can't connect to MySQL server on 'till'\")"}),
    ("database-locked", {"message": "OperationalError: database is locked"}),
    ("data-exists-already", {"message": "IntegrityError: UNIQUE constraint failed: orders.id"}),
    ("sql-not-valid", {"message": "OperationalError: no such table: ordrs"}),
    ("mail-not-arrived", {"message": "AssertionError: No emails were received within 60 seconds"}),
    ("account-lacks-right", {"message": "ClientError: the user is not authorized to perform: till:Open"}),
    # browsers
    (
        "driver-version-mismatch",
        {
            "message": "SessionNotCreatedException: Message: session not created: This version of ChromeDriver only supports "
            "Chrome version 114\nCurrent browser version is 126.0.6478.61 with binary path /usr/bin/google-chrome"
        },
    ),
    ("driver-too-old-for-browser", {"message": "WebDriverException: Message: unknown error: cannot determine loading status"}),
    ("driver-not-found", {"message": "WebDriverException: Message: 'geckodriver' executable needs to be in PATH."}),
    (
        "driver-cannot-run",
        {"message": "WebDriverException: Message: Service /opt/chromedriver unexpectedly exited. Status code was: 127"},
    ),
    (
        "playwright-browser-not-installed",
        {"message": "Error: browserType.launch: Failed to launch: Error: spawn /opt/browsers/webkit-99/pw_run.sh ENOENT"},
    ),
    ("playwright-browser-not-installed", {"message": "Error: browserType.launch: Executable doesn't exist at /root/.cache/chrome"}),
    ("browser-binary-not-found", {"message": "WebDriverException: Message: unknown error: cannot find Chrome binary"}),
    ("browser-does-not-start", {"message": "WebDriverException: Message: unknown error: DevToolsActivePort file doesn't exist"}),
    ("playwright-process-dead", {"message": "ConnectionError: Playwright process has been terminated with code 137"}),
    ("playwright-connection-lost", {"message": "Setup failed:\nSocket closed"}),
    (
        "browser-crashed",
        {"message": "WebDriverException: Message: unknown error: session deleted because of page crash\ntab crashed"},
    ),
    (
        "selenium-grid-unavailable",
        {"message": "SessionNotCreatedException: Message: Could not start a new session. No node is free"},
    ),
    ("browser-window-gone", {"message": "NoSuchWindowException: Message: no such window: window was already closed"}),
    ("no-browser-open", {"message": "No browser is open."}),
    ("selenium-api-changed", {"message": "AttributeError: 'WebDriver' object has no attribute 'find_element_by_id'"}),
    ("app-or-device-misconfigured", {"message": "WebDriverException: Message: The application at '/apps/shop.apk' does not exist"}),
    (
        "appium-driver-missing",
        {"message": "WebDriverException: Message: Could not find a driver for automationName 'UiAutomator2'"},
    ),
    # pages
    ("no-window-with-that-name", {"message": "No window matching handle, name, title or url 'Receipt' found."}),
    (
        "unhandled-alert",
        {"message": "UnexpectedAlertPresentException: Message: unexpected alert open: {Alert text : Till is empty}"},
    ),
    ("element-covered", {"message": "Error: locator.click: <div class=spinner></div> intercepts pointer events"}),
    ("element-stale", {"message": "StaleElementReferenceException: Message: stale element reference: element is not attached"}),
    ("element-not-interactable", {"message": "ElementNotInteractableException: Message: element not interactable"}),
    (
        "locator-ambiguous",
        {"message": "Error: locator.click: Error: strict mode violation: locator('button') resolved to 4 elements"},
    ),
    ("locator-invalid", {"message": "InvalidSelectorException: Message: invalid selector: //button[@id='pay'"}),
    ("script-of-test-failed", {"message": "JavascriptException: Message: javascript error: till is null"}),
    ("element-of-wrong-kind", {"message": "Error: locator.fill: Error: Element is not an <input>, <textarea> element"}),
    ("element-not-found", {"message": "Element with locator 'id:pay' not found."}),
    ("page-load-timeout", {"message": "TimeoutError: page.goto: Timeout 10000ms exceeded."}),
    (
        "playwright-wait-timeout",
        {"message": "TimeoutError: locator.click: Timeout 10000ms exceeded.\nwaiting for locator('id=pay')"},
    ),
    ("awaited-state-did-not-come", {"message": "Element 'id:receipt' not visible after 5 seconds."}),
    ("page-lacks-content", {"message": "Page should have contained text 'Thank you' but did not."}),
    ("image-not-on-screen", {"message": 'ImageNotFoundException: Reference image "till.png" was not found on screen'}),
    # Python
    ("python-api-removed", {"message": "AttributeError: module 'collections' has no attribute 'Mapping'"}),
    ("packages-do-not-fit", {"message": "TypeError: Descriptors cannot be created directly."}),
    ("constructor-arguments-changed", {"message": "TypeError: Retry.__init__() got an unexpected keyword argument 'allowed'"}),
    (
        "robot-failed-inside",
        {
            "message": "AttributeError: 'Till' object has no attribute 'tag'",
            "log": ("Traceback (most recent call last):\n  None\nAttributeError: 'Till' object has no attribute 'tag'",),
        },
    ),
    (
        "library-failed-inside",
        {
            "message": "AttributeError: 'NoneType' object has no attribute 'ring'",
            "log": (
                'Traceback (most recent call last):\n  File "/venv/lib/site-packages/tillkit/bell.py", line 7, in ring\n'
                "    self.bell.ring()\nAttributeError: 'NoneType' object has no attribute 'ring'",
            ),
        },
    ),
    ("unexpected-keyword-argument", {"message": "TypeError: pay() got an unexpected keyword argument 'amuont'"}),
    ("wrong-argument-count", {"message": "TypeError: pay() takes 1 positional argument but 2 were given"}),
    ("isinstance-with-generic", {"message": "TypeError: isinstance() argument 2 cannot be a parameterized generic"}),
    ("name-not-defined", {"message": "NameError: name 'till' is not defined"}),
    (
        "json-written-wrongly",
        {"message": "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
    ),
    ("answer-is-not-json", {"message": "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"}),
    ("text-in-other-encoding", {"message": "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe4 in position 7: invalid byte"}),
    ("nul-byte-in-value", {"message": "ValueError: embedded null byte"}),
    ("number-expected", {"message": "ValueError: invalid literal for int() with base 10: '12 EUR'"}),
    ("wrong-type-of-value", {"message": 'TypeError: can only concatenate str (not "int") to str'}),
    ("key-or-index-missing", {"message": "KeyError: 'total'"}),
    ("module-has-no-such-name", {"message": "AttributeError: module 'tillkit' has no attribute 'connect'"}),
    (
        "value-is-none-in-library",
        {"message": "AttributeError: 'NoneType' object has no attribute 'strip'", "log": ("${total} = None",)},
    ),
    ("yaml-or-config-unreadable", {"message": "ScannerError: mapping values are not allowed here"}),
    ("required-setting-empty", {"message": "KeyError: 'TILL_API_TOKEN'"}),
    ("method-not-of-this-library", {"message": "AttributeError: 'Till' object has no attribute 'opne'"}),
    ("robot-api-changed", {"message": "AttributeError: 'ExecutionFailed' object has no attribute 'full_message'"}),
    ("error-in-keyword-code", {"message": "Setup failed:\nValueError: the till has no drawer"}),
    # assertions
    ("types-differ", {"message": "5 (integer) != 5 (string)"}),
    ("only-spelling-differs", {"message": "Thank You != thank you"}),
    ("refusal-did-not-happen", {"message": "A closed order should not be accepted: PASS != FAIL"}),
    ("error-text-in-value", {"message": "'Traceback (most recent call last): ... TillError' does not contain 'Total: 5'"}),
    ("product-reports-error", {"message": "Error E12: Drawer 'left' is declared twice."}),
    ("text-not-there-yet", {"message": "The text of element 'id:sum' should have been '5.00' but it was ''."}),
    ("broken-value-shown", {"message": "Total shown is not the sum: NaN != 5.00"}),
    (
        "answer-breaks-its-schema",
        {"message": "ValidationError: 'total' is a required property", "log": ("GET Response : status=200, reason=OK",)},
    ),
    (
        "product-gave-other-value",
        {"message": "'Open' should be 'Closed'", "log": ("GET Response : url=http://till/1\n status=200, reason=OK",)},
    ),
    # what the project's own labelled failures taught
    ("xml-element-not-matched", {"message": "No element matching 'orders/ordre' found."}),
    ("connection-not-made", {"message": "MaxRetryError: HTTPConnectionPool(...): Max retries exceeded with url: /session/7/url"}),
    (
        "page-waits-for-failing-service",
        {"message": "Text 'Thanks' did not appear in 9 seconds.", "log": ("POST /api/orders 500 (Internal Server Error)",)},
    ),
    ("browser-start-too-slow", {"message": "Error: browserType.launch: Timeout 30000ms exceeded."}),
    ("locator-matches-several", {"message": "Element locator 'name=line' matched 7 elements. Expected 1."}),
    ("query-into-answer-not-valid", {"message": "No value found for JSONPath $.order.id"}),
    # what failures of a second hand taught
    (
        "page-script-failed",
        {"message": "Text 'Thanks' did not appear in 9 seconds.", "log": ("SEVERE pay.js 9:1 Uncaught TypeError: x is undefined",)},
    ),
    (
        "product-code-failed",
        {
            "message": "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
            "exception": ExceptionInfo(
                "TypeError",
                "unsupported operand type(s) for +: 'int' and 'NoneType'",
                frames=(Frame("atest/Till.py", 9, "total"), Frame("till/sums.py", 70, "Sums.total", "return a + b")),
            ),
        },
    ),
    # real failures of public projects: causes that no rule knew
    (
        "standard-module-hidden",
        {"message": "ImportError: cannot import name 'choice' from 'random' (/srv/suites/random.py)"},
    ),
    (
        "import-lacks-file",
        {
            "message": no_keyword("Open Till"),
            "errors": (import_failed("Till", "RuntimeError: Cannot find the settings file 'till.toml'"),),
        },
    ),
    (
        "installed-library-does-not-load",
        {
            "message": no_keyword("Open Till"),
            "errors": (
                import_failed(
                    "TillLibrary",
                    "TypeError: Base.__init__() takes 1 positional argument but 2 were given\nTraceback (most recent call last):\n"
                    '  File "/venv/lib/site-packages/TillLibrary/__init__.py", line 9, in __init__\n    Base.__init__(self, 1)',
                ),
            ),
        },
    ),
    (
        "node-modules-do-not-fit",
        {"message": "TypeError: locator.describeAll is not a function", "keyword": "Browser.Get Text", "args": ("id=sum",)},
    ),
    (
        "library-calls-other-version",
        {
            "message": "TypeError: adapter() takes 2 positional arguments but 4 were given",
            "keyword": "RequestsLibrary.Create Session",
        },
    ),
    (
        "library-fails-on-own-values",
        {
            "message": "TypeError: unsupported operand type(s) for -: 'Limit' and 'int'",
            "keyword": "RequestsLibrary.GET On Session",
        },
    ),
    ("text-is-not-xml", {"message": "XMLSyntaxError: Document is empty, line 1, column 1"}),
    (
        "transaction-failed-before",
        {"message": "InFailedSqlTransaction: current transaction is aborted, commands ignored until end of transaction block"},
    ),
    (
        "webdriver-address-wrong",
        {"message": "WebDriverException: Message: Unable to find handler for (POST) /wd/hub/session"},
    ),
    (
        "driver-answer-not-understood",
        {"message": "KeyError: 'sessionId'", "keyword": "SeleniumLibrary.Open Browser", "args": ("http://till.example", "edge")},
    ),
    ("script-without-interpreter", {"message": "OSError: [Errno 8] Exec format error: '/srv/tools/fill_till.py'"}),
    (
        "driver-command-unknown",
        {"message": "WebDriverException: Message: unknown command: session/4f2a/se/log"},
    ),
    ("path-instead-of-its-value", {"message": "$.till.open != True"}),
    (
        "installed-library-lacks-name",
        {
            "message": no_keyword("Open Till"),
            "errors": (import_failed("TillLibrary", "AttributeError: module 'robot.api' has no attribute 'till'"),),
        },
    ),
    ("package-named-as-missing", {"message": "ValueError: No codec for this image, please install the till-imaging package"}),
    (
        "command-not-let-in",
        {"message": "1 != 0", "log": ("${output} = till-cli: unauthorized: login required to open till 3",)},
    ),
    (
        "command-failed-inside",
        {"message": "3 != 0", "log": ("${output} = till-cli: Internal error while the day was closed",)},
    ),
    (
        "library-of-other-robot-version",
        {
            "message": no_keyword("Open Till"),
            "errors": (
                "Adding keyword 'open_drawer' to library 'TillLibrary' failed: Calling dynamic method 'get_keyword_types' failed: "
                "Return value must be a dictionary.",
                "Processing variable file 'tills.yaml' failed: YAML variable file must be a mapping, got None.",
            ),
        },
    ),
    ("two-constants-compared", {"message": "open != shut", "keyword": "BuiltIn.Should Be Equal", "args": ("open", "shut")}),
    (
        "page-shows-other-text",
        {"message": "The text of element 'css:td[class='sum']' should have been 'Shut' but it was 'Open'."},
    ),
    ("list-compared-with-its-element", {"message": "['Oulu'] != Oulu"}),
    ("text-stands-in-its-pattern", {"message": "'Till (2) is open' does not match 'Till (2) is open|Till is shut'"}),
    (
        "success-where-refusal-was-due",
        {"message": "Amount refused != Payment successful", "test": "Payment With Invalid Amount"},
    ),
    ("file-name-not-allowed", {"message": "OSError: [Errno 22] Invalid argument: 'css:.till > td'"}),
    ("argument-name-in-value", {"message": "12 != minimum=3"}),
    (
        "page-shows-other-value",
        {"message": "12 May != 11 May", "log": ("Clicking button 'id:till'.", "${day} = 12 May")},
    ),
    (
        "address-of-test-refused",
        {
            "message": "InvalidArgumentException: Message: invalid argument\n  (Session info: chrome=130.0)",
            "keyword": "SeleniumLibrary.Go To",
            "args": ("till.example",),
        },
    ),
    (
        "configured-address-refused",
        {
            "message": "InvalidArgumentException: Message: invalid argument\n  (Session info: chrome=130.0)",
            "keyword": "SeleniumLibrary.Open Browser",
            "args": ("https://${TILL}", "chrome"),
            "log": ("Opening browser 'chrome' to base url 'https://'.",),
        },
    ),
    (
        "rows-other-than-expected",
        {"message": "Expected to have have no rows from 'select id from tills', but got some rows: [(3,)]."},
    ),
]


@pytest.mark.parametrize(("rule_id", "parts"), CASES, ids=[rule_id for rule_id, _ in CASES])
def test_a_rule_finds_its_cause_and_quotes_the_report(rule_id, parts):
    report = make_report(**parts)
    analysis = first_verdict(report)
    rule = RULES[rule_id]
    assert analysis.engine.rule_id == rule_id
    assert (analysis.verdict, analysis.stage, analysis.error_type) == (Verdict.DIAGNOSED, Stage.INTERIM, rule.error_type)
    assert (analysis.report_id, analysis.project, analysis.fingerprint) == ("r-1", "shop", "f-1")
    assert analysis.root_cause
    assert analysis.recommendation
    assert analysis.confidence == rule.confidence
    assert_evidence_stands_in(report, analysis)


def assert_evidence_stands_in(report: FailureReport, analysis: Analysis) -> None:
    places = {
        "error message": [report.error_message],
        "log": [line.text for line in report.log],
        "execution errors": [error.text for error in report.execution_errors],
        "exception": [f"{report.exception.type}: {report.exception.message}"] if report.exception else [],
    }
    assert 1 <= len(analysis.evidence) <= MAX_EVIDENCE
    for evidence in analysis.evidence:
        assert 0 < len(evidence.quote) <= MAX_QUOTE_CHARACTERS
        assert any(evidence.quote in " ".join(text.split()) for text in places[evidence.where]), evidence


def test_every_rule_has_a_case():
    assert set(RULES) == {rule_id for rule_id, _ in CASES}


def test_rule_ids_are_unique_slugs():
    assert len(RULES) == len(ALL_RULES)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule_id) for rule_id in RULES)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_a_rule_is_well_formed(rule):
    assert rule.error_type is not ErrorType.UNKNOWN
    assert 0.3 <= rule.confidence <= 0.95
    groups = {name for clue in rule.clues for name in re.compile(clue.pattern).groupindex}
    used = set(re.findall(r"(?<!\{)\{(\w+)\}", rule.cause + rule.advice))
    assert used <= groups
    for clue in (*rule.clues, *rule.unless, *rule.support):
        assert clue.hint
        assert clue.hint == clue.hint.lower()
        assert_bounded(clue.pattern)


def assert_bounded(pattern: str) -> None:
    """Every repetition has a small upper bound, so that no text makes a search slow."""
    outside_classes = re.sub(r"\[(?:\\.|[^\]\\])+\]", "C", re.sub(r"\\[^dwsSDWbnx]", "L", pattern))
    assert not re.search(r"[*+]|\{\d+,\}", outside_classes), pattern
    assert max((int(bound) for bound in re.findall(r"\{\d+,(\d+)\}", outside_classes)), default=0) <= 2500


OTHER_WORDINGS = [
    ("Several failures occurred:\n\n1) Till: [3] != 3\n\n2) Till is shut", "list-compared-with-its-element"),
    ("Sum: level=3 != 12", "argument-name-in-value"),
    (" != Till is open", "text-not-there-yet"),
    ("Title should have been 'Shop' but was 'Till'.", "page-shows-other-text"),
    ("Location should have been 'http://till.example/' but was 'http://till.example/login'.", "page-shows-other-text"),
    ("Error: page.$eval: TypeError: Failed to execute 'evaluate' on 'Document': The result is no node set.", "locator-invalid"),
    ("Alert message should have been 'Till opened.' but it was 'Name the till.'.", "page-shows-other-text"),
    ("Keyword 'Run Keyword If Test Failed' can only be used in test teardown.", "invalid-test-data"),
    ("Title should have been 'Till' but was '508 Resource Limit Is Reached'.", "service-unavailable-page"),
    (
        "String '${till}' used with invalid index 'sum'. To use '[sum]' as a literal value, it needs to be escaped like '\\[sum]'.",
        "variable-index-missing",
    ),
    (
        "Variable '${till}' is integer, which is not subscriptable, and thus accessing item '0' from it fails.",
        "variable-index-missing",
    ),
    (
        'Error: locator.click: Error: Selector "#till" resolved to <div id="till">…</div>, <iframe> was expected',
        "element-of-wrong-kind",
    ),
    ("200 != 500", "other-success-status"),
    ("Expected 3 rows, but 2 were returned from: 'select id from tills'", "rows-other-than-expected"),
    (
        "UnicodeDecodeError: 'charmap' codec can't decode byte 0x81 in position 3: character maps to <undefined>",
        "wrong-encoding-of-system",
    ),
    ("Button with locator '//a[@data-till='3'][contains(.,'Pay')]' not found.", "element-not-found"),
    ("No radio button with name 'drawer' and value 'open' found.", "element-not-found"),
    ("MoveTargetOutOfBoundsException: Message: ", "element-not-interactable"),
    (
        'WebDriverException: Message: unknown error: unhandled inspector error: {"message":"Cannot take screenshot with 0 width."}',
        "element-not-interactable",
    ),
    ("WebDriverException: Message: The test session has already finished, and cannot be used any more.", "browser-window-gone"),
    ("'409 == 201' should be true.", "request-refused-as-invalid"),
    ("Oulu till != //td[@class='till']", "path-instead-of-its-value"),
    ("Till: xpath://td[1] != Oulu", "path-instead-of-its-value"),
    ("Oulu != ['Oulu']", "list-compared-with-its-element"),
    ("Text 'Shut' (str) should be 'Open' (str)", "page-shows-other-text"),
    ("Element 'id:sum' should have contained text '12' but its text was '21'.", "page-shows-other-text"),
    ("'Else' is a reserved keyword. It must be an upper case 'ELSE' when used as a marker.", "control-word-as-keyword"),
    ("Non-existing variable '${order_line}'.", "variable-not-found"),
    ("Request failed with status code 404", "resource-not-at-service"),
    ("InvalidCredentialsError: HTTP 401 Unauthorized returned", "credentials-refused-by-service"),
    ("Error: page.goto: net::ERR_NAME_NOT_RESOLVED at http://till.example/", "name-not-resolved"),
    ("Error: page.goto: net::ERR_CERT_DATE_INVALID at https://till.example/", "tls-certificate-not-trusted"),
    ("WebDriverException: Message: Reached error page: about:neterror?e=netTimeout&u=x", "connect-timeout"),
    ("SSHException: Unable to connect to port 22 on 10.1.1.1", "connection-refused"),
    ("OSError: [WinError 10061] No connection could be made", "connection-refused"),
    ("OSError: [WinError 193] %1 is not a valid Win32 application", "driver-cannot-run"),
    ("AssertionError: 137 != 0", "out-of-memory"),
    ("AssertionError: -11 != 0", "product-crashed"),
    ("WebDriverException: Message: 'chromedriver' executable may have wrong permissions.", "permission-denied"),
    ("KafkaError: NoBrokersAvailable", "connection-not-made"),
    ("Error: browserContext.newPage: Protocol error (Target.createTarget): Failed to open a new tab", "browser-crashed"),
    ("WebDriverException: Message: cannot determine loading status from disconnected", "browser-crashed"),
    ("WebDriverException: Message: cannot determine loading status", "driver-too-old-for-browser"),
    ("Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout", "connect-timeout"),
    ("Error response from daemon: Container is restarting, wait until it runs", "container-gone"),
    ("botocore.exceptions.NoRegionError: You must specify a region.", "required-setting-empty"),
    ("ERROR: No matching distribution found for till==9", "packages-do-not-fit"),
    ("org.hibernate.LazyInitializationException: could not initialize proxy - no Session", "server-error-page"),
    ("Expected status: 201 Created but was 500", "service-failed-inside"),
    ("ClientError: An error occurred (503) when calling PutObject: Please reduce your request rate.", "rate-limited"),
    ("Could not start: key 'till.host' missing in settings-qa.yaml", "yaml-or-config-unreadable"),
    ("thread 'main' panicked at src/till.rs:4:5", "product-crashed"),
    ("OSError: dlopen(libtill.dylib, 6): image not found", "shared-library-missing"),
    ("Text '' (str) should be 'Welcome' (str)", "text-not-there-yet"),
    ("NoSuchWindowException: Message: No window matching handle, name, title or URL 'x' found.", "no-window-with-that-name"),
    ("Setting 'Documentaton' is not a valid setting.", "invalid-test-data"),
    ("Could not find element with locator 'id=pay'", "element-not-found"),
    ("AssertionError: API returned an id twice", "product-gave-other-value"),
    ("RequestsDependencyWarning: urllib3 (2.2.1) doesn't match a supported version!", "packages-do-not-fit"),
    ("Variable '${lines}' is not list-like or dictionary-like.", "wrong-type-of-value"),
    ("Expected ids [1, 2] but the api returned [2, 1]", "product-gave-other-value"),
    ("The cart's total is wrong, it shows [object Object]", "broken-value-shown"),
    ("Error: page.fill: Target page, context or browser has been closed", "browser-window-gone"),
    ("SessionNotCreatedException: Message: session not created: user data directory is already in use", "browser-does-not-start"),
    ("AttributeError: 'dict' object has no attribute 'iteritems'", "python-api-removed"),
    ("TypeError: __init__() got an unexpected keyword argument 'executable_path'", "selenium-api-changed"),
    ("Error: Could not find elements with selector `id=pay` within timeout", "element-not-found"),
    (
        "Keyword 'Pay' failed after retrying for 1 minute. The last error was: ConnectionRefusedError: [Errno 111]",
        "connection-refused",
    ),
    ("OperationalError: current transaction is aborted", "transaction-failed-before"),
    ("ParseError: no element found: line 1, column 0", "text-is-not-xml"),
    ("ImportError: cannot import name 'x' (consider renaming '/a/json.py' since it has the same name)", "standard-module-hidden"),
    ("WebDriverException: Message: Cannot POST /wd/hub/session", "webdriver-address-wrong"),
    ("AttributeError: 'module' object has no attribute 'set_path'", "module-has-no-such-name"),
    ("TypeError: pay() takes exactly 2 arguments (1 given)", "wrong-argument-count"),
    ("TypeError: start_test() takes 2 positional arguments but 3 were given", "robot-api-changed"),
    ("AttributeError: 'NoneType' object has no attribute 'cursor'", "called-before-set-up"),
    ("No connection open", "session-not-created-in-test"),
    ("WebDriverException: Message: Original error: Could not find 'adb' in /opt/sdk", "app-or-device-misconfigured"),
    ("{'error': 'till.Error.Busy: still booking'} != open", "error-text-in-value"),
    ("Error: browserType.launch: Browser closed.", "browser-does-not-start"),
    ("RuntimeError: The drawer needs gpio: pip install till-gpio", "package-named-as-missing"),
    ("Element from XPath '//Button[2]' could not be found", "element-not-found"),
    ("ElementNotAvailableException: The target element corresponds to UI that is no longer available", "element-stale"),
    ("InvalidOperationException: Target element cannot receive focus.", "element-not-interactable"),
    ("KafkaException: Connect to ipv4#10.0.0.7:9092 failed: Unknown error", "connection-not-made"),
    ("TimeoutException: could not find till.png", "image-not-on-screen"),
    ("FOR loop has empty body.", "invalid-test-data"),
    ("Parent suite setup failed:\nEnvironment variable '%{SHOP_URL}' not found.", "environment-variable-missing"),
]


@pytest.mark.parametrize(("message", "rule_id"), OTHER_WORDINGS)
def test_a_cause_is_known_in_other_words(message, rule_id):
    assert first_verdict(make_report(message)).engine.rule_id == rule_id


ASSERTION = "which side is right"
NEAR_MISSES = [
    ("values that are named on both sides", {"message": "sum=3 != sum=4"}, ""),
    ("a value of which no page is told", {"message": "12 May != 11 May", "log": ("${day} = 12 May",)}, ""),
    ("a status after a page was open", {"message": "200 != 404", "log": ("Opening browser 'chrome' to base url 'x'",)}, ""),
    (
        "an attempt that failed before the page was open",
        {
            "message": "Button with locator 'id:pay' not found.",
            "log": ("WebDriverException: Message: 'geckodriver' executable needs to be in PATH.",),
        },
        "element-not-found",
    ),
    (
        "an argument that another keyword lets the browser refuse",
        {"message": "InvalidArgumentException: Message: invalid argument", "keyword": "SeleniumLibrary.Set Window Size"},
        "",
    ),
    (
        "a missing variable file lacks no keyword",
        {
            "message": no_keyword("Open Till"),
            "errors": ("Error in file 'a.robot' on line 3: Variable file 'tills.yaml' does not exist.",),
        },
        "keyword-not-found",
    ),
    ("whom a test logs in as is its data", {"message": "Variable '${username}' not found."}, "variable-not-found"),
    (
        "a browser that cannot do what it is told for another reason",
        {"message": 'WebDriverException: Message: unknown error: unhandled inspector error: {"code":-32000,"message":"Busy"}'},
        "",
    ),
    ("success in a test of valid input", {"message": "Payment refused != Payment successful"}, ""),
    (
        "two kinds of success",
        {"message": "Saved successfully != Payment successful", "test": "Payment With Invalid Amount"},
        "",
    ),
    (
        "a value of the product is compared",
        {"message": "open != shut", "keyword": "BuiltIn.Should Be Equal", "args": ("${till}", "shut")},
        "",
    ),
    ("a pattern of other words", {"message": "'Till is open' does not match 'Till is shut*'"}, ""),
    ("a list of others", {"message": "['Turku'] != Oulu"}, ""),
    ("a socket option that is not known", {"message": "OSError: [Errno 22] Invalid argument"}, ""),
    ("two numbers differ", {"message": "3 != 5"}, ""),
    ("two texts differ", {"message": "Open != Closed"}, ""),
    ("a status-like number is compared with another kind of number", {"message": "404 != 12"}, ""),
    ("an order of lists", {"message": "Lists are different:\nIndex 0: a != b"}, ""),
    ("a date of another form", {"message": "Invalid date format"}, ""),
    ("a number after an answer", {"message": "3 != 5", "log": ("GET Response : status=200, reason=OK",)}, ""),
    ("a variable that was not replaced", {"message": "${id} != 5a", "log": ("GET Response : status=200, reason=OK",)}, ""),
    (
        "a keyword that fails on its own arguments, however deep in the test code",
        {
            "message": "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
            "exception": ExceptionInfo(
                "TypeError", "", frames=(Frame("atest/Till.py", 9, "total"), Frame("atest/lib/sums.py", 7, "total"))
            ),
        },
        "wrong-type-of-value",
    ),
    (
        "an installed package that fails on what a keyword gave it",
        {
            "message": "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
            "exception": ExceptionInfo(
                "TypeError", "", frames=(Frame("atest/Till.py", 9, "total"), Frame("/venv/site-packages/sums/a.py", 7, "total"))
            ),
        },
        "wrong-type-of-value",
    ),
    (
        "an exit code without a word of what went wrong",
        {"message": "1 != 0", "log": ("${output} = till 3 of 4 closed",)},
        "",
    ),
    (
        "a number that is no exit code next to an error in the log",
        {"message": "3 != 4", "log": ("${output} = Internal error was handled",)},
        "",
    ),
    (
        "a keyword of the project that is called with too many arguments",
        {"message": "TypeError: total() takes 1 positional argument but 2 were given", "keyword": "till.Total"},
        "wrong-argument-count",
    ),
    (
        "a text given to an installed library where it needs a dictionary",
        {
            "message": "AttributeError: 'str' object has no attribute 'items'",
            "keyword": "RequestsLibrary.GET On Session",
            "log": (
                'File "/venv/lib/site-packages/requests/models.py", line 9, in prepare\nself.prepare_headers(headers)\n'
                "AttributeError: 'str' object has no attribute 'items'",
            ),
        },
        "wrong-type-of-value",
    ),
    (
        "a script of the page that calls what it does not have",
        {"message": "TypeError: page.total is not a function", "keyword": "Browser.Evaluate JavaScript"},
        "error-in-keyword-code",
    ),
    (
        "a key of the test's own data while a browser is open",
        {"message": "KeyError: 'total'", "keyword": "SeleniumLibrary.Input Text"},
        "key-or-index-missing",
    ),
    (
        "a name that Python itself no longer has",
        {"message": "ImportError: cannot import name 'escape' from 'html' (/usr/lib/python3.12/html/__init__.py)"},
        "imported-name-gone",
    ),
    (
        "a driver that cannot run on this machine",
        {"message": "OSError: [Errno 8] Exec format error: '/opt/chromedriver'"},
        "driver-cannot-run",
    ),
    (
        "a library of the project that fails while it is loaded",
        {
            "message": no_keyword("Open Till"),
            "errors": (
                import_failed(
                    "Till",
                    'TypeError: bad till\nTraceback (most recent call last):\n  File "/srv/lib/Till.py", line 9, in <module>',
                ),
            ),
        },
        "library-import-failed",
    ),
    (
        "a remote server that is not there explains a missing keyword",
        {
            "message": no_keyword("Open Till"),
            "errors": (
                "Error in file 'a.robot' on line 3: Getting keyword names from library 'Remote' failed: Calling dynamic method "
                "'get_keyword_names' failed: Connecting remote server at http://till.example:8270 failed: timed out",
            ),
        },
        "remote-library-unreachable",
    ),
    (
        "a constant that a file of the project lacks",
        {"message": "AttributeError: 'module' object has no attribute 'TILL_URL'"},
        "error-in-keyword-code",
    ),
    ("a sentence about installing", {"message": "The shop installs tills on Mondays"}, ""),
    ("a price that begins with a dollar", {"message": "$12.50 != $13.50"}, ""),
    ("a title that is not there", {"message": "Title should have been 'Shop' but was ''."}, ""),
    ("a message of the suite's own", {"message": "The till is not balanced"}, ""),
    ("a time-out without a hint at what was slow", {"message": "Test timeout 2 minutes exceeded."}, ""),
    ("None of unknown origin", {"message": "AttributeError: 'NoneType' object has no attribute 'flush'"}, ""),
    ("something still there", {"message": "200 != 404"}, ""),
    ("a problem that was met and overcome in the log", {"message": "3 != 5", "log": ("Permission denied, trying as root",)}, ""),
    ("words of a rule in the arguments of a keyword", {"message": "3 != 5", "keyword": "Log", "args": ("Connection refused",)}, ""),
    (
        "execution errors of another part of the run",
        {"message": "3 != 5", "errors": (import_failed("Pay", "ModuleNotFoundError: No module named 'pay'"),)},
        "",
    ),
    (
        "a missing module does not explain a space",
        {
            "message": no_keyword("Wait Clock 5", " Did you mean:\n    till.Wait Clock"),
            "errors": (import_failed("Pay", "ModuleNotFoundError: No module named 'pay'"),),
        },
        "keyword-and-argument-one-space",
    ),
    (
        "a failed import explains a keyword that Robot takes for a missing space",
        {
            "message": no_keyword("Open Till now", " Did you try using keyword 'a.Open Till' and forgot to use enough whitespace?"),
            "errors": ("Error in file 'a.robot' on line 3: Resource file 'till.resource' does not exist.",),
        },
        "imported-file-missing",
    ),
    (
        "of two failed imports the one of the keyword's library counts",
        {
            "message": no_keyword("New Page"),
            "errors": (
                "Error in file 'a.robot' on line 3: Resource file 'till.resource' does not exist.",
                import_failed("Browser", "ModuleNotFoundError: No module named 'Browser'"),
            ),
        },
        "module-not-installed",
    ),
    (
        "a failed library import does not explain a variable",
        {
            "message": "Variable '${order}' not found.",
            "errors": (import_failed("Pay", "ModuleNotFoundError: No module named 'pay'"),),
        },
        "variable-not-found",
    ),
    (
        "a crashed browser explains a missing element",
        {"message": "Element with locator 'id:pay' not found.", "log": ("unknown error: session deleted because of page crash",)},
        "browser-crashed",
    ),
    (
        "a crashed browser does not explain a misspelled keyword",
        {"message": no_keyword("Pay Ordr", " Did you mean:\n    till.Pay Order"), "log": ("tab crashed",)},
        "keyword-misspelled",
    ),
    (
        "a slip in a keyword's name is not explained by an import that failed",
        {
            "message": no_keyword("Pay Ordr", " Did you mean:\n    till.Pay Order"),
            "errors": (import_failed("Ledger", "No module named 'ledger'"),),
        },
        "keyword-misspelled",
    ),
    (
        "a keyword that only reminds of another is explained by an import that failed",
        {
            "message": no_keyword("Pay All Orders", " Did you mean:\n    till.Count Order"),
            "errors": (import_failed("Ledger", "No module named 'ledger'"),),
        },
        "module-not-installed",
    ),
    (
        "of several failed imports the one that the keyword names explains it",
        {
            "message": no_keyword("Ledger.Pay"),
            "errors": (import_failed("Till", "No module named 'till_parts'"), import_failed("Ledger", "No module named 'imp'")),
        },
        "stdlib-module-removed",
    ),
    (
        "an application that failed inside explains a text that did not come",
        {"message": "Text 'Thanks' did not appear in 9 seconds.", "log": ("POST /orders 500 (Internal Server Error)",)},
        "page-waits-for-failing-service",
    ),
    (
        "an application that answered does not",
        {"message": "Text 'Thanks' did not appear in 9 seconds.", "log": ("POST /orders 200 (OK) in 500 ms",)},
        "awaited-state-did-not-come",
    ),
    (
        "a dead browser of another test does not explain a missing element",
        {
            "message": "Element with locator 'id:pay' not found.",
            "errors": ("Calling method '_end_test' of listener failed: Playwright process has been terminated with code 1",),
        },
        "element-not-found",
    ),
    (
        "a dead browser explains a stopped run",
        {
            "message": "Execution terminated by signal",
            "errors": ("Calling method '_end_test' of listener failed: Playwright process has been terminated with code 1",),
        },
        "playwright-process-dead",
    ),
    (
        "the failure counts, not what its teardown then lacked",
        {"message": "Element with locator 'id:pay' not found.\n\nAlso teardown failed:\nNo browser is open."},
        "element-not-found",
    ),
    (
        "a service that is gone explains an odd answer before",
        {"message": "KeyError: 'total'\n\nAlso teardown failed:\nConnectionRefusedError: [Errno 111] Connection refused"},
        "connection-refused",
    ),
    (
        "a service that is gone in the teardown does not explain a name",
        {"message": "No library 'Till' found.\n\nAlso teardown failed:\nConnectionRefusedError: [Errno 111] Connection refused"},
        "library-not-imported",
    ),
    (
        "a program that is missing explains a wrong result",
        {"message": "1 != 0", "log": ("java: command not found",), "keyword": "Process.Run Process"},
        "program-not-installed",
    ),
    ("a limit that the log mentions explains nothing", {"message": "3 != 5", "log": ("Too Many Requests, trying again",)}, ""),
    (
        "an error in code of the project is not one of a library",
        {
            "message": "AttributeError: 'NoneType' object has no attribute 'ring'",
            "log": ("File \"/srv/lib/bell.py\", line 7, in ring\nAttributeError: 'NoneType' object has no attribute 'ring'",),
        },
        "",
    ),
    ("nothing is told of a failure by its teardown", {"message": "3 != 5\n\nAlso teardown failed:\nNo browser is open."}, ""),
    (
        "of several failures the first counts",
        {"message": "Several failures occurred:\n\n1) KeyError: 'total'\n\n2) TypeError: unhashable type: 'list'"},
        "key-or-index-missing",
    ),
    (
        "a refused login in an ordinary test",
        {"message": http_error(401, "Unauthorized"), "test": "Order Is Paid"},
        "credentials-refused-by-service",
    ),
    ("a module of Python 3 that looks like one of Python 2", {"message": "No module named 'queuelib'"}, "module-not-installed"),
    (
        "a misspelled method is not an interface of Selenium",
        {"message": "AttributeError: 'Till' object has no attribute 'x'"},
        "method-not-of-this-library",
    ),
    ("a locked account is no disabled element", {"message": "TillError: the account is disabled"}, ""),
    ("a broken connection is not told by a log that closes one", {"message": "3 != 5", "log": ("Connection closed",)}, ""),
    ("a port number in a sentence", {"message": "TillError: drawer 98 is in the wrong place"}, ""),
    ("a lower-case 'if' in a sentence", {"message": "The shop must ask if end must follow"}, ""),
]


@pytest.mark.parametrize(("parts", "rule_id"), [case[1:] for case in NEAR_MISSES], ids=[case[0] for case in NEAR_MISSES])
def test_a_near_miss_is_left_to_the_right_rule_or_to_none(parts, rule_id):
    assert first_verdict(make_report(**parts)).engine.rule_id == rule_id


def test_an_abstention_names_no_cause_but_what_would_be_needed():
    analysis = first_verdict(make_report("Open != Closed"))
    assert (analysis.verdict, analysis.error_type, analysis.stage) == (Verdict.UNKNOWN, ErrorType.UNKNOWN, Stage.INTERIM)
    assert (analysis.root_cause, analysis.recommendation, analysis.confidence, analysis.evidence) == ("", "", 0.0, ())
    assert analysis.report_id == "r-1"
    assert any(ASSERTION in need for need in analysis.missing)
    assert any("DEBUG" in need for need in analysis.missing)


@pytest.mark.parametrize(
    ("message", "need"),
    [
        ("", "an error message"),
        ("Test timeout 1 minute exceeded.", "waiting for"),
        ("TillError: drawer jammed", "traceback"),
        ("The till answered 418", "response"),
        ("The till is not balanced", "second occurrence"),
    ],
)
def test_what_is_needed_depends_on_the_failure(message, need):
    analysis = first_verdict(make_report(message, log=("a", "b", "c")))
    assert need in " ".join(analysis.missing)


def test_the_cause_is_told_with_the_words_of_the_report():
    analysis = first_verdict(make_report(no_keyword("Pay Ordr", " Did you mean:\n    till.Pay Order")))
    assert analysis.root_cause == "There is no keyword 'Pay Ordr'; the nearest one that is imported is 'till.Pay Order'."


def test_long_words_of_the_report_are_shortened_in_the_cause():
    analysis = first_verdict(make_report(no_keyword("x" * 118)))
    assert "x" * 99 + "…" in analysis.root_cause
    assert "x" * 100 not in analysis.root_cause


def test_braces_and_format_fields_in_the_report_stay_text():
    analysis = first_verdict(make_report(no_keyword("Pay {0} {name!r} %s")))
    assert "'Pay {0} {name!r} %s'" in analysis.root_cause


def test_a_cause_outside_the_message_is_shown_together_with_the_message():
    parts = dict(CASES)["imported-file-missing"]
    quotes = {evidence.where: evidence.quote for evidence in first_verdict(make_report(**parts)).evidence}
    assert "does not exist" in quotes["execution errors"]
    assert quotes["error message"] == no_keyword("Log In As Clerk")


def test_the_headings_of_robot_are_not_quoted_for_the_message():
    message = "Parent suite setup failed:\n" + no_keyword("Log In As Clerk")
    analysis = first_verdict(make_report(message, errors=("Error in file 'a' on line 1: Library 'Till.py' does not exist.",)))
    assert "Parent suite" not in " ".join(evidence.quote for evidence in analysis.evidence)


def test_the_answer_of_a_service_is_quoted_from_the_log():
    answer = 'POST Response : url=https://shop.example/api \n status=400, reason=Bad Request \n body={"message":"cart is empty"}'
    report = make_report(http_error(400, "Bad Request"), log=(answer,))
    assert any("cart is empty" in evidence.quote for evidence in first_verdict(report).evidence)
    assert_evidence_stands_in(report, first_verdict(report))


def test_a_cause_found_only_in_the_log_is_less_sure():
    near = first_verdict(make_report("tab crashed"))
    far = first_verdict(make_report("Element with locator 'id:pay' not found.", log=("tab crashed",)))
    assert far.engine.rule_id == near.engine.rule_id
    assert far.confidence < near.confidence


def test_the_exception_is_read_where_the_message_says_little():
    exception = ExceptionInfo(
        "PayError",
        "till",
        (Frame("pay.py", 3, "pay"),),
        (ExceptionInfo("ConnectionRefusedError", "[Errno 111] Connection refused"),),
    )
    report = make_report("Payment did not work", exception=exception)
    assert first_verdict(report).engine.rule_id == "connection-refused"


def test_the_same_report_gets_the_same_verdict():
    report = make_report(**dict(CASES)["module-not-installed"])
    assert first_verdict(report) == first_verdict(report)


def test_a_long_line_is_quoted_around_what_matched():
    report = make_report("x " * 3000 + "ConnectionRefusedError: [Errno 111] Connection refused " + "y " * 900)
    (evidence,) = first_verdict(report).evidence
    assert "Connection refused" in evidence.quote
    assert len(evidence.quote) <= MAX_QUOTE_CHARACTERS
    assert evidence.quote in " ".join(report.error_message.split())


ODD_TEXTS = {
    "nothing": "",
    "blanks": " \t\r\n" * 9,
    "a lone surrogate": "KeyError: '\ud800'",
    "NULs": "\0" * 50 + "KeyError: 'a'",
    "right to left": "\u202eKeyError: '\u0627\u0644\u0633\u0639\u0631'",
    "line separators": "Element 'a' \u2028 not visible\x85after 5 seconds.",
    "letters that change length in lower case": "\u0130" * 300 + " Connection refused",
    "only a heading": "Several failures occurred:",
    "only a teardown": "\n\nAlso teardown failed:\nNo browser is open.",
}


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_odd_texts_are_answered(text):
    report = make_report(text, log=(text,), errors=(text,), keyword=f"Till.{text}", test=text, exception=ExceptionInfo(text, text))
    analysis = first_verdict(report)
    assert analysis.verdict in (Verdict.DIAGNOSED, Verdict.UNKNOWN)
    assert all(len(evidence.quote) <= MAX_QUOTE_CHARACTERS for evidence in analysis.evidence)
    assert decode(Analysis, json.loads(json.dumps(encode(analysis)))).engine == analysis.engine


FILLERS = [
    "a",
    " ",
    "'",
    "\n",
    "1) ",
    "x=",
    "${",
    "a.",
    "[",
    "\\",
    "status=500, reason=",
    "No keyword with name '",
    "' failed: ",
    "Element '",
    "401 ",
]


@pytest.mark.timeout(60)  # a guard against hanging: a search that is not bounded takes minutes
@pytest.mark.parametrize("filler", FILLERS)
def test_no_text_makes_a_search_hang(filler):
    hints = " ".join(clue.hint.replace("|", " ") for rule in ALL_RULES for clue in rule.clues)
    text = hints + filler * (200_000 // len(filler)) + hints
    first_verdict(make_report(text, log=(text, text), errors=(text,), keyword=text, test=text, exception=ExceptionInfo(text, text)))


@pytest.mark.skipif("DDN_CORPUS" not in os.environ, reason="DDN_CORPUS does not name a file of labelled failures")
def test_few_of_the_labelled_failures_are_answered_wrongly():
    records = [json.loads(line) for line in Path(os.environ["DDN_CORPUS"]).read_text("utf-8").splitlines()]
    readable = [record for record in records if record["inferable"] == "yes"]
    wrong = [record["id"] for record in readable if not _right_or_unknown(record)]
    assert len(wrong) <= 0.10 * len(readable), wrong


def _right_or_unknown(record: dict[str, str]) -> bool:
    system, _, log = record["log_excerpt"].rpartition("TEST LOG\n")
    errors = tuple(re.split(r"(?m)^\[ (?:WARN|ERROR) \] ", system)[1:])
    analysis = first_verdict(
        make_report(record["error_message"], log=tuple(log.splitlines()), errors=errors, test=record["test_name"])
    )
    return analysis.error_type in (ErrorType.UNKNOWN, record["error_type"], record.get("alt_error_type"))


def test_what_a_caught_failure_logged_explains_nothing() -> None:
    lines = (LogLine("ConnectionRefusedError: [Errno 111] Connection refused", "CAUGHT"), LogLine("totally different", "FAIL"))
    known = FailureReport("i", "p", "f", Run("r"), "S", "T", "totally different", log=lines)
    assert first_verdict(known).verdict is Verdict.UNKNOWN
