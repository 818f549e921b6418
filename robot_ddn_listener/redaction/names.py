"""Which names make their value a secret, and which values are none in spite of their name."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Span(NamedTuple):
    """A secret in a text, from `start` up to `end`."""

    start: int
    end: int
    kind: str


def positions(text: str, part: str) -> Iterator[int]:
    """Yield where `part` stands in `text`, without overlap."""
    start = text.find(part)
    while start >= 0:
        yield start
        start = text.find(part, start + len(part))


# The secret word of a name whose words are joined by `_`.
_LONG_WORDS = (
    r"(?P<password>pass_?words?|passwd|pass_?phrase|pass_?code|pwd|pswd|passwort|kennwort|salasana|contrase[nñ]a|senha|"
    r"wachtwoord|mot_de_passe|(?:db|user|admin|root|mysql|smtp|ftp|ssh|login|mail|proxy|git|http|vault|keystore|truststore)_?pass(?![a-z]))"
    r"|(?P<cookie>session_?cookies?|jsession_?id|phpsess_?id|net_?session_?id|connect_sid)"
    r"|(?P<key>(?:api|access|account|private|priv|secret|encryption|encrypt|decryption|signing|sign|master|storage|shared|subscription|"
    r"license|licence|ssh|deploy|service|client|crypto|cipher|aes|rsa|hmac|webhook|instrumentation|functions?|app|application|auth)"
    r"_?keys?|connection_?strings?|conn_?str(?:ing)?s?)"
    r"|(?P<token>token(?!i[sz])s?)"
    r"|(?P<secret>secret(?!ar)s?|credentials?|creds|authorization)"
)
# These count only as whole words; a weak one can be something else, so the value has to look like a secret too.
_SHORT_WORDS = r"(?P<short>cred|jwt|otp|totp|csrf|xsrf|dsn|sas|bearer)|(?P<weak>auth|pass|pw|cookies?)"

_SECRET_WORD = re.compile(rf"{_LONG_WORDS}|(?:^|(?<=_))(?:{_SHORT_WORDS})(?=_|\d|$)")

# What stands around the secret word and makes the name one of something else: ${PASSWORD_FIELD}, max_tokens, show_password.
_ABOUT_AFTER = re.compile(
    r"(?:^|_)(?:field|input|locator|xpath|selector|css|label|button|btn|page|placeholder|title|link|icon|checkbox|tab|form|element|path|"
    r"file|filename|dir|directory|folder|url|uri|endpoint|type|name|count|length|len|size|limit|policy|expiry|expires|expiresin|expired|"
    r"expiration|ttl|timeout|lifetime|age|rule|regex|pattern|prompt|hint|error|message|msg|status|state|enabled|disabled|required|visible|"
    r"visibility|format|encoding|algorithm|alg|method|mode|version|usage|budget|window|position|sock|provider|issuer|scope|strength|class|"
    r"txt|json|ya?ml|robot|resource|py|js|xml|html?|java|csv|md|ini|cfg|conf|less|consent|banner|popup|modal|dialog|keyword|exists|is|"
    r"should|must|based|validator|validation|response|request)s?(?:_|$)"
)
_ABOUT_BEFORE = re.compile(
    r"(?:^|_)(?:is|has|have|show|hide|max|min|num|number|count|total|allow|allowed|require|requires|enable|disable|forgot|lbl|label|btn|"
    r"button|accept|reject|prompt|completion|cached|unexpected|no)(?:_|$)"
)
_ABOUT_WEAK = re.compile(
    r"_(?:server|host|domain|agent|service|backend|module|user|realm|level|test|rate|percentage|time)s?(?:_|$)"
)
# Entries that, inside a container with a secret name, tell who and where.
_IDENTIFYING = re.compile(
    r"(?:^|_)(?:user|username|login|url|uri|host|hostname|port|server|name|email|mail|type|region|project|domain|scope|driver|database|db|"
    r"schema|id|path|file|expires|expiry|created|version|role|env|environment|description|enabled|algorithm)s?(?:_|$)"
)

# Values that stand in many places of ordinary logs: replacing them everywhere would destroy the log.
_COMMON_TEXT = """
abc123 access account active admin administrator allowed anonymous apikey authorization automatic basic bearer browser
change changeit changeme change_me change-me chrome client cookie cookies correct credential credentials database default
denied deny development digest disabled docker elasticsearch empty enabled example expired external failed failure false
firefox github gitlab google guest hidden include incorrect integer internal invalid keyword letmein listener local
localhost login mandatory manual master mongodb mysql negotiate nobody normal nothing notset not_set number oauth oauth2
object optional oracle passed passwd password passwords passphrase pending placeholder postgres postgresql private
production public python rabbitmq readonly redacted redis required response robot robotframework sample secret secrets
selenium server service session simple sqlite sqlserver staging standard static status string success system testing token
tokens undefined unknown unset user username variable variables visible warning welcome wrong
"""
_COMMON_WORDS = frozenset(_COMMON_TEXT.split())
# Words in the place of one value that are none; shorter, as only that one place is at stake.
_NO_VALUE_TEXT = """
true false none null nil undefined nan yes no on off empty set unset missing required optional invalid valid expired wrong
incorrect correct failed failure fail ok pass passed error denied unknown unauthorized forbidden accepted rejected found
notset str string bytes int bool object any self cls basic digest bearer negotiate ntlm oauth oauth2 include omit
same-origin password passwd token secret is was are and or the a an of for in to from with option flag argument parameter
must should not enabled disabled hidden redacted masked
"""
_NO_VALUES = frozenset(_NO_VALUE_TEXT.split())
_TRIVIAL = re.compile(
    r"(.)\1*|\d{1,2}[:.-]\d\d(?:[:.-]\d\d)?|(?:19|20)\d\d[-/.]?\d\d[-/.]?\d\d|\d+(?:\.\d+)?\s?(?:ms|s|sec|seconds|min|minutes)",
    re.DOTALL,
)
_PATH = re.compile(
    r"(?:/(?:home|usr|tmp|var|etc|opt|run|root|Users|mnt|srv|dev|proc|sys|builds|builder|work|workspace|workspaces|app|data|github|"
    r"private|Volumes|Applications|Library|bin|lib|nix|snap|media)(?:/|$)|\.{1,2}/|~[\w.-]*/"
    r"|[A-Za-z]:[\\/](?=[\w. ])|\\\\[\w.-]+\\)[^\n]*"
    r"|[\w./\\ -]+\.(?:json|ya?ml|pem|key|crt|txt|env|ini|cfg|p12|pfx|jks|robot|py|js|html?)"
)
_LOCATOR = re.compile(
    r"(?:(?:id|name|css|xpath|class|link|partial link|dom|jquery|sizzle|identifier|accessibility_id|data|text|role|label|"
    r"placeholder|tag|default)\s?[=:].*|\(?\.?//[\w*:-]+\s?\[[@\w*./(].*|(?:\w+|\*)?\[[@\w-]+[~|^$*]?=.*\].*)",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s?@]*", re.IGNORECASE)
# The password of such a string is found by its own name; the rest often is the cause of a failure.
_CONNECTION = re.compile(
    r"(?=(?:.*;)?\s?(?:server|host|hostname|driver|data source|provider|database|dbname|endpoint|accountname)\s?=)"
    r"[\w .-]{1,40}=[^;]*(?:;[\w .-]{1,40}=[^;]*)+;?\s*",
    re.IGNORECASE,
)
_MASK = re.compile(r"<[a-z :_-]{0,40}>|[xX.*•●#_-]+|Secret\(value=<secret>\)")
_REFERENCE = re.compile(
    r"[$@&%]\{.*\}|\$[A-Z_][A-Z0-9_]*|\$\(.*\)|\{\{.*\}\}|\{\w*\}|%\(?\w+(?:%|\)s)|<[^<>]{0,80}>|\[[\w ]{1,20}\]",
    re.DOTALL,
)
_PROSE = re.compile(
    r"(?=(?:\S+\s+){2})(?=.*\b(?:required|invalid|must|short|long|weak|common|incorrect|wrong|match|blank|field|characters?|expired|missing|"
    r"enter|please|cannot|not|is|are|your|should|does|failed)\b).*",
    re.IGNORECASE | re.DOTALL,
)
_LOOKS_SECRET = re.compile(r"(?=\S*[A-Za-z])(?=\S*\d|\S+[!@#$%^&*+~?]\S|\S*[A-Za-z0-9][!$%^&*+~]\Z)\S{6,}+")
_HAS_SUBSTANCE = re.compile(r"[\W_]{0,300}?[^\W_]|\S{6}")
_LOOKED_AT = 300  # characters; a longer value is a secret without a further look, which also keeps hostile input linear


@lru_cache(4096)
def secret_kind(name: str) -> str:
    """Return the kind of secret that `name` names: password, token, key, cookie, secret or weak; empty when it names none."""
    words = _words(name)
    last = next(reversed(list(_SECRET_WORD.finditer(words))), None)
    if not last or _ABOUT_AFTER.search(words[last.end() :]) or _ABOUT_BEFORE.search(words[: last.start()]):
        return ""
    kind = last.lastgroup or ""
    if kind == "weak" and _ABOUT_WEAK.search(words[last.end() :]):
        return ""
    return "secret" if kind == "short" else kind


def is_identifying(name: str) -> bool:
    """Tell whether an entry beside secrets tells who or where, such as ``user`` or ``host``."""
    return bool(_IDENTIFYING.search(_words(name))) and not secret_kind(name)


def is_worth_replacing(value: str, shortest: int) -> bool:
    """Tell whether a known value can be replaced everywhere: not short, common, a date, a path, a locator, a reference."""
    bare = value.strip()
    return len(bare) >= shortest and bare.lower() not in _COMMON_WORDS and not _is_something_else(bare)


def can_be_secret(value: str, must_look_like_one: bool = False) -> bool:
    """Tell whether a text in the place of a secret can be one; `must_look_like_one` where the place itself proves little."""
    bare = value.strip()
    if len(bare) > _LOOKED_AT:
        return True
    if not _HAS_SUBSTANCE.match(bare) or bare.lower().rstrip(".!") in _NO_VALUES or _is_something_else(bare):
        return False
    if _REFERENCE.fullmatch(bare) or _PROSE.fullmatch(bare):
        return False
    return not must_look_like_one or bool(_LOOKS_SECRET.fullmatch(bare))


def _is_something_else(value: str) -> bool:
    if len(value) > _LOOKED_AT:
        return False
    return any(form.fullmatch(value) for form in (_TRIVIAL, _MASK, _PATH, _LOCATOR, _PLAIN_URL, _CONNECTION))


def _words(name: str) -> str:
    """Return the words of a name in lower case with _ between: ``${dbPassword 1}`` is db_password_1."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.strip("$@&%{}"))
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()
