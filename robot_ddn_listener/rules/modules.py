"""Python could not load a module, or loaded another one than is meant."""

from .clues import KEYWORD_GONE
from .engine import CAUSE, CONFIG, DEPENDENCY, TEST, Rule, imported, loaded

_NO_MODULE = r"No module named '?"
_MODULE_END = r"(?:['.;]|\s|$)"
_PYTHON_2 = (
    "cPickle|ConfigParser|StringIO|cStringIO|urllib2|urlparse|httplib|Queue|commands|exceptions|HTMLParser|cookielib|Cookie"
    "|Tkinter|__builtin__|SocketServer|SimpleHTTPServer|BaseHTTPServer|xmlrpclib|sets|md5|sha|anydbm|dbhash|thread"
)
_REMOVED = (
    "telnetlib|distutils|imp|asyncore|asynchat|smtpd|cgi|cgitb|crypt|pipes|nntplib|imghdr|sndhdr|audioop|uu|xdrlib|msilib|nis"
    "|ossaudiodev|spwd|chunk|aifc|sunau|lib2to3|formatter|parser|symbol|binhex|pkg_resources"
)
OWN_PACKAGES = (
    "libraries|library|libs|lib|resources?|keywords|tests?|testsuites?|suites|src|app|pages?|pageobjects?|page_objects|utils"
    "|utilities|common|commons|helpers?|config|configs|configuration|settings|variables|data|testdata|core|backend|api|models?"
)
_STANDARD = (  # modules that project files are often named like
    "string|random|json|logging|types|time|datetime|email|html|http|queue|calendar|code|copy|csv|socket|select|token|test|secrets"
    "|statistics|platform|signal|uuid|enum|operator|profile|struct|xml|ssl|site|cmd|keyword|locale|decimal"
)

RULES = (
    Rule(
        "python2-only-module",
        DEPENDENCY,
        CAUSE,
        0.93,
        (loaded(_NO_MODULE + rf"(?P<module>(?-i:{_PYTHON_2}))" + _MODULE_END, "no module named"),),
        cause="The module '{module}' exists only in Python 2, but the tests run on Python 3.",
        advice="Import the Python 3 replacement of '{module}', or install a version of the library that supports Python 3.",
    ),
    Rule(
        "stdlib-module-removed",
        DEPENDENCY,
        CAUSE,
        0.93,
        (loaded(_NO_MODULE + rf"(?P<module>(?-i:{_REMOVED}))" + _MODULE_END, "no module named"),),
        cause="This Python installation no longer has the module '{module}', which a library still imports.",
        advice="Use a Python version that still has '{module}', install its back-port (setuptools for distutils and "
        "pkg_resources), or a newer version of the library that does not need it.",
    ),
    Rule(
        "library-file-not-under-its-name",
        TEST,
        CAUSE + 1,
        0.7,
        (
            imported(
                r"Importing (?:test )?library '[^'\n]{0,250}[\\/](?P<module>[^'\\/\n]{1,80})\.py' failed: \w{1,40}Error: No "
                r"module named '?(?P=module)\b",
                "no module named",
            ),
        ),
        cause="The library file '{module}.py' is imported by a name or path under which it does not exist (letter case counts).",
        advice="Give the file and the import exactly the same name, letter case included.",
    ),
    Rule(
        "project-module-not-on-path",
        CONFIG,
        CAUSE,
        0.7,
        (loaded(_NO_MODULE + rf"(?P<module>(?:{OWN_PACKAGES})(?:\.\w{{1,60}}){{0,6}})" + _MODULE_END, "no module named"),),
        cause="The project's own package '{module}' is not on the module search path of this run.",
        advice="Run robot from the project's root or add it with --pythonpath (or PYTHONPATH), and see that the package has "
        "the expected name.",
    ),
    Rule(
        "module-not-installed",
        DEPENDENCY,
        CAUSE,
        0.87,
        (loaded(_NO_MODULE + r"(?P<module>[\w.\-]{1,100})", "no module named"),),
        cause="The Python module '{module}' is not installed in the environment that runs the tests.",
        advice="Install the package that provides '{module}' into the very environment that runs robot, and pin it in the "
        "requirements.",
        support=(KEYWORD_GONE,),
    ),
    Rule(
        "circular-import",
        TEST,
        CAUSE + 1,
        0.78,
        (
            loaded(
                r"partially initialized module '?(?P<module>[\w.]{1,80})|most likely due to a circular import",
                "partially initialized|circular import",
            ),
        ),
        cause="Modules import each other in a circle (or a file has the name of the module it imports), so '{module}' is not "
        "yet defined.",
        advice="Break the circle: move what both need into a third module, import inside the function, or rename a file that "
        "shadows a module.",
    ),
    Rule(
        "import-shadowed-or-half-loaded",
        TEST,
        CAUSE,
        0.6,
        (
            imported(
                r"Importing (?:test )?library '(?P<library>[^'\n]{0,250}\.py)' failed: AttributeError: '?module'? (?:object "
                r")?'?[\w.]{0,80}'? ?has no attribute '(?P<attribute>\w{1,80})'",
                "has no attribute",
            ),
        ),
        cause="While the library '{library}' was imported, a module it uses did not have '{attribute}': a circular import or a "
        "wrong name.",
        advice="See which module should define '{attribute}' and whether it imports this library again; break the circle or "
        "correct the name.",
    ),
    Rule(
        "imported-name-gone",
        DEPENDENCY,
        CAUSE,
        0.82,
        (loaded(r"cannot import name '?(?P<name>\w{1,80})'?(?: from '?(?P<module>[\w.]{1,80}))?", "cannot import name"),),
        cause="'{name}' cannot be imported from '{module}': the installed version does not have it, so two packages do not fit "
        "together.",
        advice="Install versions that belong together: pin '{module}' to the version the importing library was made for, or "
        "update that library.",
        unless=(loaded(rf"cannot import name '?\w{{1,80}}'? from '?(?:{OWN_PACKAGES})\b", "cannot import name"),),
    ),
    Rule(
        "standard-module-hidden",
        TEST,
        CAUSE + 1,
        0.72,
        (
            loaded(
                r"consider renaming '(?P<file>[^'\n]{1,250})' since it has the same name"
                rf"|cannot import name '?\w{{1,80}}'? from '(?:{_STANDARD})' "
                r"\((?P<file2>(?![^)\n]{0,250}[\\/](?:lib|Lib|[Pp]ython[\d.]{0,5})[\\/])[^)\n]{1,250}\.pyc?)\)"
                rf"|cannot import name '?(?P<name>\w{{1,80}})'?[^\x00]{{0,2000}}\nfrom (?P<module>{_STANDARD}) "
                rf"import [^\n]{{0,160}}\b(?P=name)\b",
                "consider renaming|cannot import name",
            ),
        ),
        cause="A file of the project has the name of a module of Python's own and is imported in its place.",
        advice="Rename that file (and remove its .pyc), or take its folder from the module search path.",
    ),
    Rule(
        "own-name-not-importable",
        TEST,
        CAUSE,
        0.72,
        (
            loaded(
                rf"cannot import name '?(?P<name>\w{{1,80}})'? from '?(?P<module>(?:{OWN_PACKAGES})[\w.]{{0,80}})",
                "cannot import name",
            ),
        ),
        cause="The project's own module '{module}' does not define '{name}' that another file imports from it.",
        advice="Correct the import or define '{name}' in '{module}'.",
    ),
    Rule(
        "relative-import-without-package",
        TEST,
        CAUSE,
        0.6,
        (
            imported(
                r"attempted relative import (?:with no known parent package|beyond top-level package)", "attempted relative import"
            ),
        ),
        cause="A library file uses a relative import, but Robot imports it by its path, where it belongs to no package.",
        advice="Import absolutely in that file and add its folder with --pythonpath, or import the library by its package name.",
    ),
    Rule(
        "browser-library-node-missing",
        DEPENDENCY,
        CAUSE + 2,
        0.94,
        (
            loaded(
                r"(?P<quote>Couldn't execute node\.|rfbrowser init|Browser library is not initiali[sz]ed|(?:node_modules"
                r"|Node dependencies)[^\n]{0,60}(?:not found|missing|not installed)|`?node`?[^\n]{0,40} not found in PATH)",
                "execute node|rfbrowser init|node_modules|node dependencies|not initialized|not found in path",
            ),
        ),
        cause="The Browser library cannot start: Node.js or its own Node modules are not installed on this machine.",
        advice="Install Node.js, run 'rfbrowser init' in the environment that runs robot, and see that node is on PATH.",
    ),
)
