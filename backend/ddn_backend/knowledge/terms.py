"""The words a failure is told by: texts of logs and documents without what differs from run to run.

Identifiers are split (``NoSuchElementException``, ``CERTIFICATE_VERIFY_FAILED``) and also kept whole. Addresses, folders, ids, hex,
times and numbers go, except the numbers that carry the meaning: HTTP statuses, errno, exit codes, signals and database error
codes. Words and phrases that say the same thing get one common word more.
"""

import re
from collections.abc import Iterator

MAX_WORD_CHARACTERS = 40  # anything longer is a token, a hash or encoded bytes

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_NOISE = re.compile(
    r"\b[a-z][a-z0-9+.-]{0,20}://[^\s'\"<>]+"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b0x[0-9a-f]+\b"
    r"|\b(?=[a-f]*\d)[0-9a-f]{8,}\b"
    r"|\b\d{4}-?\d\d-?\d\d[T ]?\d\d:\d\d:\d\d(?:[.,]\d+)?Z?",
    re.IGNORECASE,
)
_FOLDERS = re.compile(r"(?<![\w.@%+~-])(?:\b[A-Za-z]:)?(?:[\w.@%+~-]*[\\/])+(?=[\w.])")
_VARIABLE = re.compile(r"([$@&%])\{[^{}\n]*\}")
_EXIT = r"\b(?:exit(?:ed)?(?: with)?(?: non-zero)?(?: (?:code|status))?|return(?:ed)? code|with code|rc)"
_EXITS = (
    re.compile(rf"{_EXIT}[\s:=]{{1,3}}(-?)(\d{{1,2}}|1\d\d|2[0-5]\d)\b", re.IGNORECASE),
    re.compile(r"(?<![\w.-])(-?)(\d{1,3}) != 0\b"),
)
_TELLING_EXITS = frozenset(["126", "127", "134", "137", "139", "143"])  # of the shell: others mean what the program wants
_CODES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\[?\bErrno (\d+)\]?", re.IGNORECASE), r" errno\1 "),
    (re.compile(r"\[?\bErrno -(\d+)\]?", re.IGNORECASE), r" eai\1 "),
    (re.compile(r"\bWinError (\d+)", re.IGNORECASE), r" winerror\1 "),
    (re.compile(r"\bORA-(\d{5})\b"), r" ora\1 "),
    (re.compile(r"\((\d{4}), ?[\"'b]"), r" mysql\1 "),
    (re.compile(r"\bHTTP/\d(?:\.\d)? ([1-5]\d\d)\b"), r" http\1 "),
    (re.compile(r"\b([1-5]\d\d) (?=(?:Client|Server) Error)"), r" http\1 "),
    (re.compile(r"\b(?:HTTP|HTTPError|status|code)(?:[ _]code| is| was)*[\W_]{1,3}([1-5]\d\d)\b", re.IGNORECASE), r" http\1 "),
    (re.compile(r"(?<![\d.:-])([45]\d\d)(?: \(integer\))? != (?=[23]\d\d\b)"), r" http\1 "),
    (re.compile(r"\b([45]\d\d) (?=[A-Z][a-z]+)"), r" http\1 "),
    (re.compile(r"\bsignal(?: SIG[A-Z]+)?[\s:(]{1,2}(\d{1,2})\b", re.IGNORECASE), r" signal\1 "),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|milliseconds?|s|sec|seconds?|min|minutes?|hours?|days?)\b"), " duration "),
    (re.compile(r"(?<=\w)\.[A-Za-z][A-Za-z0-9]{1,5}(?=['\"])"), " filename "),
    (re.compile(r"(?<=\S) != (?=\S)"), " notequal "),
)
_IDENTIFIER = re.compile(r"[^\W_]+(?:_+[^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+|[^\W\d_a-zA-Z]+")
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by did do does for from had has have if in into is it its of on or so than that the their "
        "then there this to was were will with you your e g i none true false info debug trace warn error fail pass",
    )
)

# Each line: a common word, then words and phrases that mean it. The common word is added, nothing is taken away.
_SAME = """
timeoutreached: timed out|timeout|time out|timeouterror|etimedout|errno110|errno60|winerror10060
timeoutreached: deadline exceeded|not finish|not complete
absent: not found|no such|cannot find|not find|unable to locate|unable to find|not exist|nonexistent|missing
absent: not locate|cannot be found
refused: connection refused|actively refused|econnrefused|errno111|errno61|winerror10061
refused: err connection refused|connectionrefusederror
connectionlost: connection reset|econnreset|errno104|winerror10054|broken pipe|errno32|remote end closed
connectionlost: connection aborted|connection closed
unresolved: name resolution|name resolution error|failed to resolve|err name not resolved|enotfound|eai again
unresolved: getaddrinfo|gaierror|not known
unreachable: no route|network is unreachable|errno113|errno101|ehostunreach|enetunreach
unreachable: err address unreachable
denied: permission denied|access denied|access is denied|errno13|eacces|winerror5|not permitted|errno1
diskfull: no space left|enospc|errno28|disk full|disk is full|disk quota exceeded|errno122
readonly: read only file system|errno30|erofs
killed: signal9|exit137|sigkill|killed|oom killed|oomkilled
outofmemory: out of memory|memoryerror|cannot allocate memory|errno12|enomem|oom|heap limit
commandabsent: command not found|exit127|is not recognized
inuse: address already in use|eaddrinuse|errno98|errno48|winerror10048|already in use
inuse: port is already allocated
badcredentials: authentication failed|login failed|access denied for user|password authentication failed
badcredentials: invalid credentials|ora01017|mysql1045
certificate: cert|certificate verify failed|certificateverifyfailed|sslcertverificationerror|err cert
modulemissing: modulenotfounderror|no module named
stale: stale element reference|staleelementreferenceexception|not attached|detached
covered: element click intercepted|elementclickinterceptedexception|intercepts pointer events
badgateway: http502|http503|http504
badinput: http400|http422
filemissing: errno2|filenotfounderror|enoent|no such file
openfiles: too many open files|errno24|emfile
"""


def terms(text: str) -> tuple[str, ...]:
    """Return the words of `text` that tell it from other failures, in order, each followed by the common word of its phrase."""
    words = list(_words(_without_noise(text)))
    return tuple(term for index, word in enumerate(words) for term in _with_common(words, index, word))


def _without_noise(text: str) -> str:
    text = _ESCAPES.sub("", text)
    for exits in _EXITS:
        text = exits.sub(_exit, text)
    for pattern, replacement in _CODES:
        text = pattern.sub(replacement, text)
    text = _VARIABLE.sub(lambda found: " environmentvariable " if found[1] == "%" else " robotvariable ", text)
    return _FOLDERS.sub(" ", _NOISE.sub(" ", text))


def _exit(found: re.Match[str]) -> str:
    minus, code = found.groups()
    if minus:
        return f" signal{code} exitcode "
    return f" exit{code} exitcode " if code in _TELLING_EXITS else " exitcode "


def _words(text: str) -> Iterator[str]:
    for found in _IDENTIFIER.finditer(text):
        identifier = found[0]
        if len(identifier) > MAX_WORD_CHARACTERS:
            continue
        parts = [part.lower() for part in _PART.findall(identifier) if not part.isdigit()]
        yield from (part for part in parts if len(part) > 1)
        if len(parts) > 1:
            yield "".join(parts)


def _with_common(words: list[str], index: int, word: str) -> Iterator[str]:
    if word not in _STOP_WORDS:
        yield word
    for length in range(1, min(_LONGEST, index + 1) + 1):
        common = _COMMON.get(tuple(words[index + 1 - length : index + 1]))
        if common:
            yield common


def _read_groups(source: str) -> dict[tuple[str, ...], str]:
    groups = (line.split(": ", 1) for line in source.strip().splitlines())
    return {tuple(phrase.split()): common for common, phrases in groups for phrase in phrases.split("|")}


_COMMON = _read_groups(_SAME)
_LONGEST = max(map(len, _COMMON))
