"""Secrets in places of their own: URLs, queries, Authorization headers, cookies, the arguments of commands."""

import re
from base64 import b64decode
from collections.abc import Iterator

from .names import Span, can_be_secret

# The user part has no slash, so a port cannot be taken for a password; a slash in a password is accepted where no port can stand.
_URL = re.compile(
    r"://(?P<user>[^\s/:@\"'<>?#]{0,120}+)"
    r"(?::(?P<password>[^\s/@\"'<>?#]{1,256}(?:@[^\s/@,\"'<>?#]{1,256}(?=@))*|(?!\d{1,5}[/?#]|[/\\{$%<])[^\s@\"'<>]{1,256}?))?@(?=[\w\[$%{<-])"
)
_OPAQUE = re.compile(r"(?=\D*\d)[\w.~+/=%-]{20,}")


_ENCODED_URL = re.compile(r"%3A%2F%2F[^\s%/]{0,100}%3A(?P<password>(?:(?!%40|%2F)[^\s&/]){1,256}+)%40", re.IGNORECASE)


def url_spans(text: str) -> Iterator[Span]:
    """Find the password of ``scheme://user:password@host``, and a user that is an access token itself."""
    for match in _ENCODED_URL.finditer(text):
        yield Span(*match.span("password"), "url-password")
    for match in _URL.finditer(text):
        if match["password"] and can_be_secret(match["password"]) and "${" not in match["password"]:
            yield Span(*match.span("password"), "url-password")
        if _OPAQUE.fullmatch(match["user"]):
            yield Span(*match.span("user"), "url-password")


_QUERY = re.compile(
    r"(?i:[?&;](?:amp;)?(?P<sure>sig|signature|x-amz-signature|x-amz-security-token|x-amz-credential|x-goog-signature|x-goog-credential|hmac|"
    r"samlresponse|samlrequest|client_assertion|assertion|id_token_hint)|[?&](?:amp;)?(?:code|key|ticket|state|nonce|session|sid|code_verifier))="
    r"(?P<value>[^\s&#\"'<>;,)\]}\\|]++)"
)


def query_spans(text: str) -> Iterator[Span]:
    for match in _QUERY.finditer(text):
        if can_be_secret(match["value"]) and (match["sure"] or _OPAQUE.fullmatch(match["value"])):
            yield Span(*match.span("value"), "url-token")


_SCHEME = (
    r"(?:basic|bearer|digest|negotiate|ntlm|token|apikey|api-key|jwt|key|oauth|hawk|mac|signature|splunk|ssws|geniekey|sharedkey|sharedkeylite|"
    r"sharedaccesssignature|aws|aws4-hmac-sha256|goog4-rsa-sha256|dpop|privatetoken|zoho-oauthtoken|bot|discogs|kerberos|scram-sha-256|vapid)"
)
_AUTHORIZATION = re.compile(
    r"""(?P<outer>\\{0,8}["'])?(?:proxy[-_]|x-\w{1,20}-|http_)?authorization(?P<inner>\\{0,8}["'])?\]?\s{0,4}"""
    r"""(?:[:=]>?|,(?=\s?\\{0,8}["']))\s{0,4}(?:\[\s?)?(?P<quote>[burf]{0,2}\\{0,8}["'])?"""
    rf"(?P<scheme>{_SCHEME}[ ]{{1,4}}(?=\S))?",
    re.IGNORECASE,
)
_LINE = re.compile(r"(?:(?!\\[rn])[^\r\n]){0,8000}+")
_TOKEN = re.compile(r"""(?:(?!\\+["'nrt])[^\s"',;)\]}])++""")
_MANY_PARTS = re.compile(r"(?:digest|oauth|hawk|mac|signature|aws4-|goog4-|vapid|scram|sharedaccess)", re.IGNORECASE)


def authorization_spans(text: str) -> Iterator[Span]:
    """Find what follows the scheme in (Proxy-)Authorization headers: raw, in dicts and JSON, as an option of curl."""
    position = 0
    while match := _AUTHORIZATION.search(text, position):
        position = match.end()
        end = _authorization_end(text, match)
        if can_be_secret(text[position:end], must_look_like_one=not match["scheme"] and not match["quote"]):
            yield Span(position, end, "authorization")
            position = end
        if not match["scheme"] and not match["quote"]:
            yield from _second_word(text, end)


def _authorization_end(text: str, match: re.Match[str]) -> int:
    if match["quote"] or _MANY_PARTS.match(match["scheme"] or ""):
        return _header_end(text, match)
    token = _TOKEN.match(text, match.end())
    return token.end() if token else match.end()


def _second_word(text: str, end: int) -> Iterator[Span]:
    """Find the token after the name of a scheme that is not known."""
    token = _TOKEN.match(text, end + 1)
    if token and text[end : end + 1] == " " and can_be_secret(token[0], must_look_like_one=True):
        yield Span(*token.span(), "authorization")


def _header_end(text: str, match: re.Match[str]) -> int:
    """Return where a header's value ends: at the quote it is in, or that the whole header is in, else at the end of the line."""
    start = match.end()
    quote = (match["quote"] or "").lstrip("burfBURF") or (not match["inner"] and match["outer"]) or ""
    closing = text.find(quote, start) if quote else -1
    while closing > 0 and len(quote) == 1 and text[closing - 1] == "\\":
        closing = text.find(quote, closing + 1)
    if closing >= 0 and "\n" not in text[start:closing]:
        return closing
    line = _LINE.match(text, start)
    return line.end() if line else start


_BARE_SCHEME = re.compile(
    r"\b(?:bearer|jwt)(?:\s|%20|\+){1,3}(?P<bearer>[\w.~+/=-]{8,}+)|\bbasic\s(?P<basic>[A-Za-z0-9+/_-]{8,}+={0,2})", re.IGNORECASE
)


def scheme_spans(text: str) -> Iterator[Span]:
    """Find ``Bearer <token>`` and ``Basic <user:password>`` where no header name stands before them."""
    for match in _BARE_SCHEME.finditer(text):
        if match["bearer"] and can_be_secret(match["bearer"], must_look_like_one=True):
            yield Span(*match.span("bearer"), "authorization")
        elif match["basic"] and ":" in decoded_basic(match["basic"]):
            yield Span(*match.span("basic"), "authorization")


def decoded_basic(token: str) -> str:
    """Return the ``user:password`` of Basic authentication, or an empty text."""
    try:
        decoded = b64decode(token + "=" * (-len(token) % 4), altchars=b"-_" if "-" in token or "_" in token else None).decode(
            "utf-8"
        )
    except ValueError:
        return ""
    return decoded if decoded.isprintable() and ":" in decoded else ""


_COOKIES = re.compile(
    r"""(?P<outer>\\{0,8}["'])?(?:set-)?cookie2?(?P<inner>\\{0,8}["'])?\s{0,4}[:=]\s{0,4}"""
    r"""(?P<quote>[burf]{0,2}\\{0,8}["'])?(?=[^\s=;"']{1,100}=[^=\s])""",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"(?:^|[;,])\s*(?P<name>[^\s=;,]{1,100})=(?P<value>(?:(?!,\s?[\w.-]{1,64}=)[^;])*+)")
_COOKIE_ATTRIBUTES = frozenset(
    {"path", "domain", "expires", "max-age", "samesite", "version", "priority", "comment", "secure", "httponly"}
)
_COOKIE_OBJECT = re.compile(r"<Cookie [^\s=<>]{1,100}=(?P<value>[^\s<>]+) for ")


def cookie_spans(text: str) -> Iterator[Span]:
    """Find the values, not the names and attributes, of cookies in headers and in the representation of cookie jars."""
    position = 0
    while match := _COOKIES.search(text, position):
        position = match.end()
        end = _header_end(text, match)
        for cookie in _COOKIE.finditer(text[position:end]):
            value = cookie["value"] if match["quote"] or match["outer"] else cookie["value"].split(" ")[0]
            if cookie["name"].lower() not in _COOKIE_ATTRIBUTES and can_be_secret(value):
                start = position + cookie.start("value")
                yield Span(start, start + len(value), "cookie")
        position = max(position, end)
    for match in _COOKIE_OBJECT.finditer(text):
        if can_be_secret(match["value"]):
            yield Span(*match.span("value"), "cookie")


_COMMANDS = re.compile(
    r"""(?P<curl>\s(?:-u|-U|--user|--proxy-user)[ =]{0,2}["']?[^\s:"']{1,100}:)(?P<a>[^\s"']+)"""
    r"""|\bsshpass\s{1,3}-p\s{0,3}["']?(?P<b>[^\s"']+)|\b(?:mysql\w{0,10}|mariadb)\s[^\n]{0,200}?\s-p(?P<c>[^\s"'-][^\s"']*)"""
    r"""|-pass(?:in|out)?\s{1,3}["']?pass:(?P<d>[^\s"']+)|\bredis-cli\s[^\n]{0,200}?\s-a\s{1,3}["']?(?P<e>[^\s"'-][^\s"']*)"""
    r"""|\bdocker\slogin\s[^\n]{0,200}?\s-p\s{1,3}["']?(?P<f>[^\s"'-][^\s"']*)"""
    r"""|\b(?:HTTP(?:Basic|Digest|Proxy)Auth|log_?in)\(\s?["'][^"'\n]{0,100}["'],\s?["'](?P<g>[^"'\n]{1,200})["']"""
)


def command_spans(text: str) -> Iterator[Span]:
    """Find passwords among the arguments of curl, sshpass, mysql, openssl, redis-cli, docker and of logins in programs."""
    for match in _COMMANDS.finditer(text):
        if match["curl"] and "curl" not in text[max(0, match.start() - 2000) : match.start()]:
            continue  # `docker run -u 1000:1000`
        if match.lastgroup and can_be_secret(match[match.lastgroup]):
            yield Span(*match.span(match.lastgroup), "password")
