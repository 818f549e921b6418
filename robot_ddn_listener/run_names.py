"""Takes secrets out of the names in a run's record: those of its tests, all of them, and the URLs of where it comes from.

The redactor of failure reports takes 30 ms to import and a tenth of a millisecond a name; a run without failures pays for neither
unless something in its names may be a secret. What may be one is told here by cheap signs, which are wider than the redactor's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .errors import RedactionError
from .run import Run

_WORDS_TEXT = """
pass pwd pswd pw kennwort salasana contrase senha wachtwoord mot_de key token secret cred auth cookie sess sid jwt otp csrf xsrf dsn
sas bearer basic conn curl mysql mariadb redis-cli docker login log_in private :// %3a%2f%2f
"""
SECRET_WORDS = tuple(_WORDS_TEXT.split())
# One of them has to stand in the name, too, if a word is to be one with a secret behind it.
_SIGNS = ("=", ":", '"', "'", "`", "“", "‘", ">", "[", "(", "&", "%3", " -", "Bearer ", "bearer ", "Basic ", "basic ")
SHORTEST_SECRET = 6  # characters of a value that is looked for, as in the redactor
SHORTEST_TOKEN = 12
# Letters and digits in one long row, of which most tokens are made; or a beginning that tokens of shorter rows have.
_PREFIXES = ("xox", "xapp-", "hrku-", "sk-", "rk-", "key-", "pul-", "glpat-", "age-secret-key-1", "1//0", "~")
_LONG_ROW = r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}"
_LETTERS, _DIGITS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789"
_KINDS = bytes.maketrans(_LETTERS + _DIGITS, b"a" * len(_LETTERS) + b"0" * len(_DIGITS))


def redacted(names: Sequence[str], environ: Mapping[str, str], patterns: Sequence[str] = ()) -> list[str]:
    """Return the names as they stand in a failure report; RedactionError when that cannot be said.

    `patterns` are the user's own (DDN_REDACT).
    """
    suspicious = _suspicious(names, environ, patterns)
    if not suspicious:
        return list(names)
    from .redact import Redactor

    redactor = Redactor(environ=environ, patterns=patterns)
    return [redactor.text(name) if index in suspicious else name for index, name in enumerate(names)]


def without_credentials(run: Run) -> Run:
    """Return `run` with what is left of its URLs without user names and passwords."""
    return replace(
        run,
        git=replace(run.git, repo=_without_credentials(run.git.repo)),
        ci=replace(run.ci, build_url=_without_credentials(run.ci.build_url)),
    )


def _without_credentials(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{mark}{place.rpartition('@')[2]}{slash}{path}"


def _suspicious(names: Sequence[str], environ: Mapping[str, str], patterns: Sequence[str]) -> set[int]:
    """Return the indexes of the names to look at more closely."""
    text = "\n".join(names)
    signs = [sign for sign in _SIGNS if sign in text]
    found = {index for index, name in enumerate(names) if _is_telling(name, signs)} if signs else set()
    parts = _tokens(text) + _secrets_of(environ, text)
    if parts:
        found |= {index for index, name in enumerate(names) if any(part in name for part in parts)}
    return found | _matching(names, patterns) if patterns else found


def _is_telling(name: str, signs: Sequence[str]) -> bool:
    return any(sign in name for sign in signs) and ("=" in name or _has_secret_word(name))


def _has_secret_word(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in SECRET_WORDS)


def _tokens(text: str) -> list[str]:
    lower, kinds = text.lower(), text.encode("utf-8", "replace").translate(_KINDS)
    prefixes = [prefix for prefix in _PREFIXES if prefix in lower]
    if not prefixes and b"a0" not in kinds and b"0a" not in kinds:
        return []  # at a tenth of the cost of looking at each word
    words = {word for word in text.replace(".", " ").split() if len(word) >= SHORTEST_TOKEN and not word.isalpha()}
    return [word for word in words if any(prefix in word.lower() for prefix in prefixes) or re.search(_LONG_ROW, word)]


def _secrets_of(environ: Mapping[str, str], text: str) -> list[str]:
    named = (value for name, value in environ.items() if len(value) >= SHORTEST_SECRET and _has_secret_word(name))
    return [value for value in named if value in text]


def _matching(names: Sequence[str], patterns: Sequence[str]) -> set[int]:
    from .redaction.patterns import UnusablePatternError, compiled

    try:
        own = compiled(patterns)
    except UnusablePatternError as error:
        raise RedactionError(f"Redacting the names of tests failed: {error} The run is not recorded.") from None
    return {index for index, name in enumerate(names) if any(pattern.search(name) for pattern in own)}
