"""Secrets that tell themselves by their form: tokens of well-known services, private keys, and what stands in headers and URLs.

Each detector has hints: parts of a text in lower case without which it finds nothing. Looking for them first is what makes it fast.
All patterns are linear: repeats are bounded, possessive, or cannot begin twice in the same run of characters.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from .headers import authorization_spans, command_spans, cookie_spans, query_spans, scheme_spans, url_spans
from .names import Span


class Detector(NamedTuple):
    hints: tuple[str, ...]
    find: Callable[[str], Iterator[Span]]


def own_form_spans(text: str, detectors: tuple[Detector, ...]) -> Iterator[Span]:
    lower = text.lower()
    for hints, find in detectors:
        if any(hint in lower for hint in hints):
            yield from find(text)


def hinted(haystack: str) -> tuple[Detector, ...]:
    """Return the detectors that can find something in a part of `haystack`, which is in lower case."""
    return tuple(detector for detector in DETECTORS if any(hint in haystack for hint in detector.hints))


_KEY_MARK = re.compile(r"-{4,5} ?(?P<side>BEGIN|END) [A-Z0-9 ]{0,40}?PRIVATE KEY[A-Z ]{0,10}-{4,5}")
_PUTTY = re.compile(r"Private-Lines: ?\d+(?P<lines>(?:\s|\\[rn])[A-Za-z0-9+/=\s\\]++)")


def _private_key_spans(text: str) -> Iterator[Span]:
    """Find private key blocks; one that is cut off reaches to the end, or from the beginning, of the text."""
    start: int | None = None
    done = 0
    for mark in _KEY_MARK.finditer(text):
        if mark["side"] == "BEGIN":
            start = mark.start() if start is None else start
        else:
            yield Span(done if start is None else start, mark.end(), "private-key")
            start, done = None, mark.end()
    if start is not None:
        yield Span(start, len(text), "private-key")
    for match in _PUTTY.finditer(text):
        yield Span(*match.span("lines"), "private-key")


_KEY_LINE = re.compile(
    r"""(?:>?\s*\d+:)?[\s"'(+,]*(?:[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z0-9+/]{2,}={1,2}|[A-Z][\w-]{2,20}: [^\n]{1,200})?"""
    r"""[\s"'\\nr+,)]*"""
)
_MAX_KEY_LINES = 250
_MAX_OTHER_LINES = 3  # between two lines of a key, such as starts of keywords in a log


def private_key_lines(texts: Sequence[str]) -> set[int]:
    """Return which of `texts` are inner lines of a private key that is spread over them."""
    if not any("PRIVATE KEY" in text for text in texts):
        return set()
    found: set[int] = set()
    for index, text in enumerate(texts):
        marks = [mark["side"] for mark in _KEY_MARK.finditer(text)]
        if marks and marks[-1] == "BEGIN":
            found.update(_key_lines(texts, range(index + 1, min(len(texts), index + _MAX_KEY_LINES))))
        if marks and marks[0] == "END":
            found.update(_key_lines(texts, range(index - 1, max(-1, index - _MAX_KEY_LINES), -1)))
    return found


def _key_lines(texts: Sequence[str], indexes: Iterable[int]) -> Iterator[int]:
    others = 0
    for index in indexes:
        if _KEY_MARK.search(texts[index]) or others > _MAX_OTHER_LINES:
            return
        if is_key_line(texts[index]):
            others = 0
            yield index
        else:
            others += 1


def is_key_line(text: str) -> bool:
    return len(text) <= 300 and bool(text.strip()) and bool(_KEY_LINE.fullmatch(text))


# Kind, how the token begins (after "|": not inside a word, so `risk-...` is no `sk-...`), how it goes on.
_PREFIXED = (
    ("jwt", "|eyJ", r"[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]{4,}+(?:\.[A-Za-z0-9_-]*+){0,3}|(?=\s?(?:\.\.\.|…|\[\.\.\.)|\Z))"),
    ("aws-key", "|AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("aws-key", "|ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("aws-key", "|ABSK", r"[A-Za-z0-9+/]{60,}={0,2}"),
    ("google-key", "|AIza", r"[\w-]{35}"),
    ("google-key", "|ya29.", r"[\w-]{16,}[\w.-]*"),
    ("google-key", "GOCSPX-", r"[\w-]{16,}"),
    ("google-key", "|1//0", r"(?<![/:.]1//0)[\w-]{24,}"),
    ("github-token", "ghp_", r"[A-Za-z0-9]{20,}"),
    ("github-token", "gho_", r"[A-Za-z0-9]{20,}"),
    ("github-token", "ghu_", r"[A-Za-z0-9]{20,}"),
    ("github-token", "ghs_", r"[A-Za-z0-9]{20,}(?:[._-][\w.-]+)?"),
    ("github-token", "ghr_", r"[A-Za-z0-9]{20,}"),
    ("github-token", "github_pat_", r"[A-Za-z0-9_]{20,}"),
    ("gitlab-token", "|gl", r"(?:pat|oas|dt|rtr|rt|cbt|ptt|ft|imt|agent|wt|soat|ffct)-[\w-]{16,}(?:\.[\w.-]+)?"),
    ("gitlab-token", "GR1348941", r"[\w-]{20,}"),
    ("slack-token", "xox", r"[a-z](?:\.xox[a-z])?-[\w-]{10,}"),
    ("slack-token", "xapp-", r"[\w-]{10,}"),
    ("stripe-key", "|sk_live_", r"[A-Za-z0-9]{10,}"),
    ("stripe-key", "|sk_test_", r"[A-Za-z0-9]{10,}"),
    ("stripe-key", "|rk_live_", r"[A-Za-z0-9]{10,}"),
    ("stripe-key", "|rk_test_", r"[A-Za-z0-9]{10,}"),
    ("stripe-key", "whsec_", r"[A-Za-z0-9+/=_-]{16,}"),
    ("model-key", "|sk-", r"(?:(?:ant|proj|svcacct|admin|or|lf)-[\w-]{16,}|(?=[A-Za-z]{0,60}\d)[A-Za-z0-9]{20,})"),
    ("model-key", "|hf_", r"[A-Za-z0-9]{30,}"),
    ("model-key", "|gsk_", r"[A-Za-z0-9]{30,}"),
    ("model-key", "|pplx-", r"[A-Za-z0-9]{30,}"),
    ("model-key", "|xai-", r"[A-Za-z0-9]{40,}"),
    ("model-key", "|r8_", r"[A-Za-z0-9]{30,}"),
    ("model-key", "pcsk_", r"[A-Za-z0-9_]{30,}"),
    ("registry-token", "|npm_", r"[A-Za-z0-9]{30,}"),
    ("registry-token", "|pypi-", r"[A-Za-z0-9_-]{40,}"),
    ("registry-token", "rubygems_", r"[0-9a-f]{40,}"),
    ("registry-token", "dckr_", r"(?:pat|oat)_[\w-]{20,}"),
    ("registry-token", "|AKCp", r"[A-Za-z0-9]{60,}"),
    ("sendgrid-key", "|SG.", r"[\w-]{16,40}\.[\w-]{16,80}"),
    ("twilio-key", "|SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("mail-key", "|key-", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("mail-key", "xkeysib-", r"[0-9a-f]{40,}(?:-\w+)?"),
    ("vault-token", "|hvs.", r"[\w-]{20,}"),
    ("vault-token", "|hvb.", r"[\w-]{20,}"),
    ("vault-token", "|hvr.", r"[\w-]{20,}"),
    ("hosting-token", "dop_v1_", r"[0-9a-f]{40,}"),
    ("hosting-token", "doo_v1_", r"[0-9a-f]{40,}"),
    ("hosting-token", "shp", r"(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("hosting-token", "|dapi", r"[0-9a-f]{32}(?:-\d)?(?![A-Za-z0-9])"),
    ("hosting-token", "|nfp_", r"[A-Za-z0-9]{30,}"),
    ("hosting-token", "|sq0", r"[a-z]{3}-[\w-]{22,}"),
    ("hosting-token", "HRKU-", r"[\w-]{30,}"),
    ("service-token", "ATATT3", r"[\w=-]{20,}"),
    ("service-token", "ATCTT3", r"[\w=-]{20,}"),
    ("service-token", "|ATBB", r"[A-Za-z0-9]{24,}"),
    ("service-token", "glsa_", r"[A-Za-z0-9]{30,}(?:_[0-9a-f]{8})?"),
    ("service-token", "|glc_", r"[A-Za-z0-9+/=]{30,}"),
    ("service-token", "lin_api_", r"[A-Za-z0-9]{30,}"),
    ("service-token", "|ntn_", r"[A-Za-z0-9]{40,}"),
    ("service-token", "|secret_", r"[A-Za-z0-9]{43}(?![A-Za-z0-9])"),
    ("service-token", "|dp.", r"(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}"),
    ("service-token", "NRAK-", r"[A-Z0-9]{27}"),
    ("service-token", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    ("service-token", "|pul-", r"[0-9a-f]{40}(?![0-9a-f])"),
    ("service-token", "sntry", r"[su]_[A-Za-z0-9+/=_-]{30,}"),
    ("service-token", "AGE-SECRET-KEY-1", r"[A-Z0-9]{50,}"),
    ("service-token", "CCIPAT_", r"[A-Za-z0-9_]{20,}"),
    ("service-token", "figd_", r"[\w-]{30,}"),
    ("service-token", "|sqp_", r"[0-9a-f]{40}"),
)
# Not inside a word, but after an escape such as %20 or \\n.
_BEGIN = r"(?:(?<![A-Za-z0-9_~.-])|(?<=%[0-9A-Fa-f][0-9A-Fa-f])|(?<=\\[nrt]))"
# Kind, what must stand in the text (in lower case), pattern; a group is the secret.
_OTHERS = (
    ("azure-key", "q~", _BEGIN + r"[\w~.]{3}\dQ~[\w~.-]{31,40}"),
    ("azure-key", "accountkey=", r"(?i:AccountKey)=([A-Za-z0-9+/]{20,}={0,2})"),
    ("azure-key", "sharedaccesskey=", r"(?i:SharedAccessKey)=([A-Za-z0-9+/]{20,}={0,2})"),
    ("azure-key", "sharedaccesssignature", r"(?i:SharedAccessSignature)[ =:]([^\s;\"'<>]{16,})"),
    ("slack-token", "hooks.slack", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([\w/-]{8,})"),
    ("webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/(\d{5,}/[\w-]{8,})"),
    ("webhook", "webhook.office.com/", r"webhook\.office\.com/webhookb2/([\w@/-]{16,})"),
    ("telegram-token", ":aa", _BEGIN + r"\d{8,10}:AA[\w-]{32,34}(?![\w-])"),
    ("hosting-token", ".atlasv1.", _BEGIN + r"[A-Za-z0-9]{10,20}\.atlasv1\.[\w-]{40,}"),
    ("mail-key", "-us", _BEGIN + r"[0-9a-f]{32}-us\d{1,2}(?![A-Za-z0-9])"),
)


def _prefixed(kind: str, prefix: str, rest: str) -> Detector:
    literal = re.escape(prefix.removeprefix("|"))
    # The prefix stands first in the pattern, and what must not precede it is looked at afterwards: such a pattern searches faster.
    begin = (
        rf"(?:(?<![A-Za-z0-9_-]{literal})|(?<=%[0-9A-Fa-f][0-9A-Fa-f]{literal})|(?<=\\[nrt]{literal}))" if prefix[0] == "|" else ""
    )
    return _found(kind, prefix.removeprefix("|").lower(), literal + begin + rest)


def _found(kind: str, hint: str, pattern: str) -> Detector:
    compiled = re.compile(pattern)

    def find(text: str) -> Iterator[Span]:
        for match in compiled.finditer(text):
            yield Span(*match.span(compiled.groups), kind)

    return Detector((hint,), find)


DETECTORS = (
    Detector(("://", "%3a%2f%2f"), url_spans),
    Detector(("=",), query_spans),
    Detector(("authorization",), authorization_spans),
    Detector(("bearer", "basic", "jwt"), scheme_spans),
    Detector(("cookie",), cookie_spans),
    Detector(("private key", "private-lines"), _private_key_spans),
    Detector(("curl", "sshpass", "mysql", "mariadb", "pass:", "redis-cli", "docker", "auth(", "login(", "log_in("), command_spans),
    *(_prefixed(*token) for token in _PREFIXED),
    *(_found(*token) for token in _OTHERS),
)
