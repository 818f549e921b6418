"""Installed packages: what is missing, does not fit together, or fails in its own code."""

from .engine import CAUSE, CODE, DEPENDENCY, GENERAL, PRECISE, Rule, imported, loaded, running, said
from .imports import FAILED

_GONE = (
    r"'?(?:xml\.etree\.ElementTree\.)?Element(?:Tree)?'? object has no attribute '(?P<name>getiterator|getchildren)'"
    r"|module '?(?P<module>collections|inspect|time|cgi|html|base64|fractions|platform|string|array|asyncio|locale|typing|ast"
    r"|gettext|unittest|types|os|numpy|np|configparser|logging|email\.\w{1,20}|threading)'? has no attribute '(?P<name2>Mapping"
    r"|MutableMapping|Iterable|Callable|Sequence|Set|Hashable|getargspec|formatargspec|clock|escape|unescape|encodestring"
    r"|decodestring|gcd|linux_distribution|dist|letters|maketrans|coroutine|async|format|io|_?\w{0,20}Generic\w{0,10}|getcwdu"
    r"|errno|bool|int|float|object|str|complex|long|unicode|SafeConfigParser|warn|Str|Num|makeSuite|DictType|StringType"
    r"|getName)'|'(?:dict|collections\.OrderedDict)' object has no attribute '(?P<name3>has_key|iteritems|itervalues"
    r"|iterkeys)'|'(?:HTMLParser|Thread)' object has no attribute '(?P<name4>unescape"
    r"|isAlive)'|'str' object has no attribute '(?P<name5>decode)'"
)
_INTERNALS = (
    r"Descriptors cannot (?:not )?be created directly|module 'lib' has no attribute 'X509_"
    r"|urllib3 v?2[\w.]{0,6} only supports OpenSSL|DEFAULT_CIPHERS|ALPNProtocols|'method_whitelist'"
    r"|numpy\.(?:dtype|ndarray|ufunc) size changed|compiled using NumPy 1|A module that was compiled"
    r"|doesn't match a supported version|requires a different Python"
    r"|[Nn]o matching distribution found|Could not find a version that satisfies"
    r"|(?:driver|Playwright|client|server) version mismatch"
    r"|version conflict|VersionConflict|DistributionNotFound|PackageNotFoundError"
    r"|incompatible with (?:this|the installed|Python)|requires (?:Python|robotframework|Robot Framework"
    r"|[\w\-]{1,40})(?: version)? ?(?:>=|<=|==|~=|<|>) ?\d|(?:is|are) not supported (?:on|by|in|with) (?:Python"
    r"|Robot Framework) ?\d|Unsupported (?:class file|major|Python) ?[^\n]{0,40}version|UnsupportedClassVersionError"
    r"|SyntaxError: future feature|'(?:type|ABCMeta|_?GenericAlias)' object is not subscriptable"
    r"|unsupported operand type\(s\) for \|: '(?:type|ABCMeta|NoneType|_\w{1,30})'"
)
_INSTALLED = running(  # a keyword of a library that is installed, so that what fails inside it is not the test's own code
    r"(?:^|\b)(?:(?:Selenium2?|Appium|Requests|SSH|Database|JSON|Excel|FTP|Http|Sikuli|ImageHorizon|Archive|Soap|Kafka|MQTT"
    r"|Zoomba)Library(?:\.\w{1,40})?|REST|Browser|RPA(?:\.\w{1,40}){1,3})\.(?!Evaluate|Execute Javascript)[A-Z]",
    "library.|rest.|browser.|rpa.",
)

RULES = (
    Rule(
        "installed-package-broken",
        CODE,
        CAUSE + 1,
        0.65,
        (
            imported(r"(?:Syntax|Indentation|Tab)Error: (?P<problem>[^\n]{1,120})", "syntaxerror|indentationerror|taberror"),
            imported(r"site-packages|dist-packages", "site-packages|dist-packages"),
        ),
        cause="The code of an installed package cannot be compiled ({problem}), so the library cannot be imported.",
        advice="Correct the last change to that package, or install a released version; check that it supports this Python "
        "version.",
    ),
    Rule(
        "installed-library-does-not-load",
        DEPENDENCY,
        CAUSE - 1,
        0.7,
        (
            imported(
                FAILED + r" (?:Type|Attribute|Name|Key)Error: (?P<problem>[^\n]{1,140})[^\x00]{0,2000}?"
                r"(?:site|dist)-packages[\\/](?P<package>\w{1,40})[^\n\"]{0,160}\", line \d{1,6}, in [^\n]{1,60}"
                r"(?:\n(?!File)[^\n]{1,200}){0,4}(?:\nPYTHONPATH|\nConsider|$)",
                "-packages",
            ),
        ),
        cause="The installed library '{library}' fails while it is loaded ({problem}): it does not fit a package that it builds on "
        "('{package}'), or this version of Robot or Python.",
        advice="Install versions that were released for each other, into an environment without left-overs of older ones.",
        unless=(imported(r"environment variable|KeyError: '[A-Z]", "environment variable|keyerror"),),
    ),
    Rule(
        "installed-library-lacks-name",
        DEPENDENCY,
        CAUSE - 2,
        0.62,
        (
            imported(
                r"Importing (?:test )?library '(?P<library>(?-i:[A-Z])\w{2,60})' failed: AttributeError: '?module'? (?:object )?"
                r"(?:'[\w.]{1,80}' )?has no attribute '(?P<attribute>\w{1,80})'",
                "has no attribute",
            ),
        ),
        cause="The library '{library}' needs '{attribute}' of a module whose installed version does not have it.",
        advice="Install versions of '{library}' and of what it builds on (Robot Framework too) that were released for each other.",
        unless=(imported(r"\nFile \"(?![^\"\n]{0,250}-packages[\\/])[^\"\n]{1,250}\", line", 'file "'),),
    ),
    Rule(
        "package-named-as-missing",
        DEPENDENCY,
        CAUSE - 4,
        0.74,
        (
            loaded(
                r"(?P<quote>[^\n]{0,120}(?:please|you (?:need|have) to|try to|must) (?:also )?install (?:the )?[`'\"]?"
                r"(?P<package>[\w.\-\[\]]{2,60})[^\n]{0,80}|[^\n]{0,120}\b(?:pip3?|npm|apt(?:-get)?|yum|apk|conda) install "
                r"(?P<package2>[\w.\-\[\]]{2,60})[^\n]{0,40})",
                " install ",
            ),
        ),
        cause="Something that the step needs is not installed, as its message says.",
        advice="Install what the message names into the environment that runs robot, and pin it there.",
    ),
    Rule(
        "shared-library-missing",
        DEPENDENCY,
        CAUSE + 1,
        0.88,
        (
            loaded(
                r"DLL load failed[^\n]{0,120}|(?P<library>[\w.+\-]{1,60}\.so[\w.]{0,10}): cannot open shared object file"
                r"|(?:version|symbol) .?(?:GLIBC|GLIBCXX|OPENSSL)_[\w.]{1,20}.? not found|undefined symbol: \w{1,80}"
                r"|Library not loaded: (?P<dylib>[^\n]{1,100})|dlopen\([^\n]{1,160}(?:image not found|no such file)"
                r"|wrong ELF class|incompatible architecture",
                "dll load failed|cannot open shared object|not found|dlopen(|undefined symbol|library not loaded|wrong elf class"
                "|incompatible architecture",
            ),
        ),
        cause="A native library that a package or program needs is missing on this machine or does not fit it.",
        advice="Install the missing system library, or a build of the package made for this system, architecture and Python "
        "version.",
    ),
    Rule(
        "python-api-removed",
        DEPENDENCY,
        CAUSE,
        0.86,
        (loaded(_GONE, "has no attribute"),),
        cause="The code uses a Python function that this Python version no longer has.",
        advice="Update the library that calls it, or run the tests with a Python version it supports.",
    ),
    Rule(
        "packages-do-not-fit",
        DEPENDENCY,
        CAUSE + 1,
        0.87,
        (
            loaded(
                _INTERNALS,
                "descriptors|x509_|openssl|default_ciphers|alpnprotocols|method_whitelist|size changed|compiled|requires "
                "|supported version|matching distribution|that satisfies|version mismatch"
                "|conflict|notfound|incompatible|supported|unsupported|future feature"
                "|object is not subscriptable",
            ),
        ),
        cause="Installed packages, or a package and this Python, do not fit together.",
        advice="Install the versions named in the message, and pin them with a lock file.",
    ),
    Rule(
        "constructor-arguments-changed",
        DEPENDENCY,
        PRECISE + 1,
        0.78,
        (
            said(
                r"TypeError: (?:\w{1,60}\.)?__(?:init|new)__\(\) (?:got an unexpected keyword argument '(?P<argument>\w{1,60})'"
                r"|missing \d{1,2} required)",
                "__init__() |__new__() ",
            ),
        ),
        cause="A class of an installed package is created with arguments that this version does not take, so caller and "
        "package do not fit together.",
        advice="Compare the versions of both packages with what they require of each other, and pin versions that belong together.",
    ),
    Rule(
        "library-calls-other-version",
        DEPENDENCY,
        PRECISE - 1,
        0.6,
        (
            said(
                r"(?P<function>[\w.]{1,60})\(\) (?:takes [^\n]{1,60} given|missing \d{1,2} required [^\n]{1,80}"
                r"|got (?:an unexpected keyword argument|multiple values for)[^\n]{1,80})",
                "() takes |() missing |() got ",
            ),
            _INSTALLED,
        ),
        cause="Inside an installed library '{function}' is called with arguments that it does not take in the installed version.",
        advice="Install versions of the library and of the packages it uses that were released for each other.",
        unless=(said(r"\b\w{1,40}_(?:request|on_session|browser|keyword)\(\)", "_request()|_on_session()|_browser()|_keyword()"),),
    ),
    Rule(
        "library-fails-on-own-values",
        DEPENDENCY,
        GENERAL + 1,
        0.54,
        (
            said(
                r"unsupported operand type\(s\) for [^\n]{1,12}: (?P<types>[^\n]{1,80})"
                r"|(?P<kind>'(?:\w{0,20}cython\w{1,30}|builtin_function_or_method|method|function|module|property)') (?:object )?"
                r"(?:is not|has no)[^\n]{1,60}"
                r"|(?P<value><(?:class|object|function|module) [^\n]{1,80}>,? but it must be [^\n]{1,60})",
                "unsupported operand|> but it must|>, but it must|function|method'|module'|property'",
            ),
            _INSTALLED,
        ),
        cause="An installed library fails on values that it made itself, which the packages it uses do not take in this version.",
        advice="Install versions of the library and of the packages it uses that were released for each other; see its issues.",
    ),
    Rule(
        "module-has-no-such-name",
        DEPENDENCY,
        GENERAL,
        0.6,
        (
            loaded(
                r"module '(?P<module>[\w.]{1,80})' has no attribute '(?P<name>\w{1,80})'"
                r"|'module' object has no attribute '(?P<name3>\w{1,80})'"
                r"|type object '(?P<module2>\w{1,60})' has no attribute '(?P<name2>\w{1,80})'",
                "has no attribute",
            ),
        ),
        unless=(
            said(r"has no attribute '(?-i:(?!PROTOCOL_|OP_|SO_|AF_)[A-Z][A-Z0-9]{1,30}_[A-Z0-9_]{1,60})'", "has no attribute"),
        ),
        cause="The installed version of a module does not have a name that the code uses.",
        advice="Compare the installed version with the one the code was written for; a local file of the same name may hide "
        "the package.",
    ),
    Rule(
        "robot-api-changed",
        DEPENDENCY,
        PRECISE,
        0.72,
        (
            said(
                r"'(?:HandlerExecutionFailed|ExecutionFailed|ExecutionStatus|Output|Logger|LOGGER|TestSuite|TestCase|Keyword"
                r"|UserKeyword|Importer|Namespace|_ExecutionContext|EmbeddedArguments|Variables|KeywordData"
                r"|XmlLogger\w{0,10})' object has no attribute '\w{1,60}'"
                r"|attribute is read-only and deprecated since Robot Framework|ROBOT_LIBRARY_SCOPE[^\n]{1,60}invalid"
                r"|robot\.(?:api|running|utils|libraries|model)[\w.]{0,60}'? has no attribute"
                r"|\b(?:run_keyword|get_keyword_\w{1,20}|(?:start|end)_(?:keyword|test|suite)|run_cli)\(\) (?:takes|missing"
                r"|got an unexpected)[^\n]{1,80}",
                "object has no attribute|deprecated since robot|robot_library_scope|robot.|() takes|() missing"
                "|() got an unexpected",
            ),
        ),
        cause="A library or listener uses an interface of Robot Framework that the installed version does not have.",
        advice="Install the versions of Robot Framework and of that library which were released for each other.",
    ),
    Rule(
        "node-modules-do-not-fit",
        DEPENDENCY,
        PRECISE,
        0.64,
        (
            said(
                r"TypeError: (?P<call>(?:\w{0,20}locator|page|context|browser|frame|playwright|browserType|elementHandle"
                r"|request)(?:\.\w{1,40}){1,3}) is not a function",
                " is not a function",
            ),
            running(r"\bBrowser\.(?!Evaluate|Wait For Function)", "browser."),
        ),
        cause="The Browser library's Node part calls '{call}', which the installed Playwright does not have.",
        advice="Run 'rfbrowser clean-node' and 'rfbrowser init' in the environment that runs robot, so that both parts are of one "
        "version.",
    ),
)
