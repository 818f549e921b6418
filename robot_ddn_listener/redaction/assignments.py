"""Values that a secret name stands before: assignments, JSON, YAML, XML, query strings, options, Robot's variables."""

import re
from collections.abc import Callable, Iterator
from string import ascii_lowercase, ascii_uppercase, digits
from typing import NamedTuple

from .names import Span, can_be_secret, positions, secret_kind

# Each secret word begins or ends with one of these; looking for them is what makes this fast.
_HINT_TEXT = """
pass pwd pswd pw kennwort salasana contrase senha wachtwoord mot_de key token secret cred auth cookie sess sid jwt otp csrf xsrf
dsn sas bearer conn
"""
HINTS = tuple(_HINT_TEXT.split())

_NAMED = re.compile(
    r"[\w.-]{1,60}+(?:[ ](?:strings?|phrase|word|code))?(?:"
    r"""(?P<value>\\{0,8}["'][\s,]{1,5}\\{0,8}["']?value\\{0,8}["']?\s{0,3}[:=]\s{0,3})(?=\\{0,8}["'])"""
    r"""|(?P<pair>\\{0,8}["'],\s?)(?=[bu]?\\{0,8}["'])"""
    r"""|(?P<typed>["']\]?\)\.(?:value\s{0,3}=\s{0,3}|(?:send_?keys|fill|val|type|set_?value)\())(?=["'])"""
    r"""|(?P<set>["']\sset\sto\s(?:value\s)?)(?=["'])"""
    r"""|(?P<says>\s(?:is\s|was\s|to\s|of\s)?)(?=["'`“‘])"""
    r"""|(?P<encoded>%22%3A(?:%20|\+)?%22|&(?:quot|#3[49]|#x2[27]|apos);\s?[:=]\s?&(?:quot|#3[49]|#x2[27]|apos);)"""
    r"""|(?P<escaped_element>&gt;)(?=[^<>&\n]{1,400}&lt;/)"""
    r"""|(?P<element>(?:\s[^<>\n]{0,200}+)?>)(?=[^<>]{1,4000}</|<!\[CDATA\[)"""
    r"""|(?P<sign>(?:\\{0,8}["'])?(?:\]|%5D)?(?:[ ](?:is|was))?[ \t]{0,8}(?:={1,3}>?|!=|:=?|->)[ \t]{0,8})"""
    r"""|(?P<after>[ \t]{1,8}(?:(?:is|was)[ ])?)(?=[^\s-])"""
    r""")""",
    re.IGNORECASE,
)
_NAME_CHARACTERS = f"{ascii_lowercase}{ascii_uppercase}{digits}_.-"
_SPACED_KEY = re.compile(
    r"(?<![^\W_])(?:api|access|account|private|secret|encryption|signing|master|storage|shared|subscription|license|ssh|client|session)"
    r"[ ]\Z",
    re.IGNORECASE,
)
_MARK_BEGIN = "<redacted:"

# Ends an unquoted value: a delimiter before a space or another delimiter, the next `name=`, a tag, an escaped quote or line end.
_END = (
    r"""[&,;)\]}|"'>](?=[\s"'&,;)\]}|<>\\]|\Z)|[&,;|](?=(?:amp;)?[\w.%\[\]-]{1,40}+[=:])"""
    r"""|</?\w{1,40}[\s/>]|<!|\\{1,8}["'nrt](?!\w)|\\[nr]"""
)
# Taken as one: `${name}` and `{name}` do not end at their own bracket.
_UNIT = r"[$@&%]?\{[\w .:-]{0,80}\}"
_VALUE = re.compile(
    r"""[bruf]{0,2}(?P<quote>["'])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\\n])*+)(?P=quote)"""
    r"""|(?P<escape>\\{1,8}["'])(?P<escaped>[^\n]*?)(?<!\\)(?P=escape)"""
    r"""|\\{0,8}["'](?P<cut>[^\n"']+)\Z"""
    r"""|\\{0,8}["'](?P<unclosed>[^\s"']++)"""
    r"""|[\[({](?=[^\[\](){}\n]{0,4000}["'])(?P<box>[^\[\](){}\n]{1,4000}+)[\])}]"""
    r"""|[`“‘](?P<ticked>[^`”’\n]{1,400})[`”’]"""
    rf"""|(?P<bare>(?![\[({{]["'\s])(?:{_UNIT}|(?!{_END})[^\s])++)""",
    re.IGNORECASE,
)
_ELEMENT_TEXT = re.compile(r"(?:<!\[CDATA\[(?P<cdata>[^\]]*)|(?P<content>[^<>]*))")
_ENCODED = re.compile(r"(?P<encoded>(?:(?!%22|&(?:quot|#3[49]|#x2[27]|apos);|&lt;)\S){1,4000}+)")
_ROBOT_ITEM = re.compile(r"(?P<item>(?:(?! \| | \}(?:\s|\Z))[^\n])++)")
_COOKIE_PAIR = re.compile(r"""[burf]{0,2}\\{0,8}["']?[^\s=;"']{1,100}=[^=\s]""")
_PATH_BEFORE = re.compile(r"(?::|\\|\S/)\Z")
_OPENED = re.compile(r"""\(\\{0,8}["'](?:[#.]|\w{1,10}[:=])?\Z""")
_SCHEMA = re.compile(r"""\s{0,4}["'](?:type|\$ref)["']\s{0,4}:""")

# Program text: what is not quoted there is an expression, not a secret.
_EXPRESSION = re.compile(
    r"(?:await\s)?[a-z_][a-z_.]*(?:\(.*\)?|\[.*\])|(?:self|cls|config|cfg|settings|args|kwargs|options|opts|os|env|user|db|ctx|request|response|"
    r"session)\.[\w.]+",
    re.DOTALL,
)
# Letters after digits, and more than one digit: nothing that stands after `password` in a sentence.
_UNLIKE_WORDS = re.compile(
    r"(?!0x|(?:sha|base|utf|md|http|oauth|v|x|pkcs|[rhep]s|aes|rsa|ipv)\d)(?=\S*\d\S*\d)(?=\S*\d[A-Za-z]|\S*[^\W\d_][!@#$%^&*+~?]+\w)[^\s=()\[\]{}<>\"':/]{8,200}",
    re.IGNORECASE,
)
_TRACEBACK_LINE = re.compile(r"\n?[ \t]{1,12}File \"[^\"\n]{1,300}\", line \d+[^\n]{0,200}\n[^\n]{0,200}\Z")
_NAME_AND_SIGN = re.compile(r"[\w.-]{1,60}[:=]")
_QUOTES = re.compile(r"""(?<!\\)["']""")
_LINE_LOOKED_AT = 1000  # characters before a name, in which a string may have begun
_LINE_START = re.compile(r"""(?:\A|\n|\\n)[\s"'#>*-]{0,40}\Z""")
_LINE_END = re.compile(r"[ \t,;]{0,8}(?:\r?\n|\\[nr]|\Z)")


_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


class _Place(NamedTuple):
    """A secret name in a text (`start` up to `end`), what kind it names, and how the value follows."""

    text: str
    start: int
    end: int
    kind: str
    form: str
    sign: str
    value_at: int


def assigned_spans(text: str, is_code: bool = False) -> Iterator[Span]:
    """Find values after secret names; in program text (`is_code`) only quoted ones."""
    position = 0
    for hint in _hints(text):
        match = _NAMED.match(text, hint) if hint >= position else None
        if not match or _is_in_mark(text, hint):
            continue
        position = match.end()
        place = _place(text, match)
        value = _value(place) if place.kind else None
        if value and _is_secret(place, value, is_code):
            span = Span(*value.span(value.lastgroup or 0), "secret" if place.kind == "weak" else place.kind)
            yield span
            position = max(position, span.end)
    yield from _robot_assignments(text)
    yield from _typed_texts(text)


def _is_in_mark(text: str, position: int) -> bool:
    begin = text.rfind(_MARK_BEGIN, max(0, position - 40), position)
    return begin >= 0 and ">" not in text[begin:position]


def _hints(text: str) -> list[int]:
    lower = text.lower()
    if len(lower) != len(text):  # a few letters become two
        lower = text.translate(_ASCII_LOWER)
    return sorted(position for hint in HINTS for position in positions(lower, hint))


def _place(text: str, match: re.Match[str]) -> _Place:
    form = match.lastgroup or ""
    start = _name_start(text, match.start())
    end = match.start(form)
    place = _Place(text, start, end, secret_kind(text[start:end]), form, match[form], match.end())
    return place if _FORMS.get(form, _anywhere)(place) and not _has_own_detector(place) else place._replace(kind="")


def _name_start(text: str, hint: int) -> int:
    before = text[max(0, hint - 40) : hint]
    start = hint - len(before) + len(before.rstrip(_NAME_CHARACTERS))
    spaced = _SPACED_KEY.search(text, max(0, start - 15), start) if start == hint and text[start - 1 : start] == " " else None
    return spaced.start() if spaced else start


def _anywhere(place: _Place) -> bool:
    return True


def _is_quoted(place: _Place) -> bool:
    return place.text[place.start - 1 : place.start] in ("'", '"')


def _is_argument(place: _Place) -> bool:
    """Tell whether the name, or a locator such as '#password', is the first argument or item in brackets."""
    return bool(_OPENED.search(place.text[max(0, place.start - 14) : place.start]))


def _is_tag(place: _Place) -> bool:
    return bool(re.search(r"<(?:\w{1,20}:)?\Z", place.text[max(0, place.start - 22) : place.start]))


def _is_escaped_tag(place: _Place) -> bool:
    return place.text[max(0, place.start - 4) : place.start] == "&lt;"


def _is_option(place: _Place) -> bool:
    return place.text[place.start : place.start + 1] == "-" or place.text[place.start - 1 : place.start] == "-"


def _is_assigned(place: _Place) -> bool:
    """Tell whether a sign after the name assigns: not in ARNs and paths with a colon, nor in `Unexpected token: ...`."""
    before = place.text[max(0, place.start - 12) : place.start]
    if ":" not in place.sign or place.sign[0] in "\\\"'":
        return True
    return not _PATH_BEFORE.search(before) and not before.lower().rstrip(" '\"").endswith(("unexpected", "illegal"))


def _has_own_detector(place: _Place) -> bool:
    """Tell whether it is a header of which only a part is secret."""
    name = place.text[place.start : place.end].lower()
    return name.endswith("authorization") or (name.endswith("cookie") and bool(_COOKIE_PAIR.match(place.text, place.value_at)))


_FORMS: dict[str, Callable[[_Place], bool]] = {
    "pair": _is_argument,
    "value": _is_quoted,
    "set": _is_quoted,
    "element": _is_tag,
    "escaped_element": _is_escaped_tag,
    "sign": _is_assigned,
}


def _value(place: _Place) -> re.Match[str] | None:
    if place.form == "element":
        return _ELEMENT_TEXT.match(place.text, place.value_at)
    if place.form in ("encoded", "escaped_element"):
        return _ENCODED.match(place.text, place.value_at)
    if place.sign == "=" and "= { " in place.text[max(0, place.start - 2000) : place.start]:
        return _ROBOT_ITEM.match(place.text, place.value_at)
    value = _VALUE.match(place.text, place.value_at)
    if value and place.form == "pair" and place.text[value.end() : value.end() + 1] != ")":
        return None
    return value


def _is_secret(place: _Place, value: re.Match[str], is_code: bool) -> bool:
    shape = value.lastgroup or ""
    found = value[shape]
    if shape == "bare" and len(found) <= 300 and (_is_expression(place, found, is_code) or _names_the_next(found)):
        return False
    if shape == "box" and _SCHEMA.match(found):
        return False
    if place.form == "after" and not _is_option(place):
        return shape == "bare" and place.kind != "weak" and bool(_UNLIKE_WORDS.fullmatch(found)) and can_be_secret(found)
    return can_be_secret(found, must_look_like_one=_proves_little(place, value))


def _is_expression(place: _Place, found: str, is_code: bool) -> bool:
    """Tell whether an unquoted value is program text; within a string of a program it is none."""
    if is_code and not _stands_in_literal(place):
        return True
    return bool(_EXPRESSION.fullmatch(found)) or _stands_in_traceback(place)


def _names_the_next(found: str) -> bool:
    """Tell whether it is a name with a secret of its own behind it: ``Invalid token: X-Auth-Token: <secret>``."""
    return bool(_NAME_AND_SIGN.fullmatch(found)) and bool(secret_kind(found[:-1]))


def _stands_in_literal(place: _Place) -> bool:
    open_quote = ""
    line = place.text[max(0, place.start - _LINE_LOOKED_AT) : place.start].rpartition("\n")[2]
    for quote in _QUOTES.findall(line):
        open_quote = quote if not open_quote else "" if quote == open_quote else open_quote
    return bool(open_quote)


def _stands_in_traceback(place: _Place) -> bool:
    return bool(_TRACEBACK_LINE.search(place.text[max(0, place.start - 700) : place.start]))


def _proves_little(place: _Place, value: re.Match[str]) -> bool:
    """Tell whether the place can be prose: a weak word, a value merely quoted, `name: value` in the middle of a line."""
    if place.kind == "weak" or place.form == "says":
        return value.lastgroup != "box"
    if place.form != "sign" or ":" not in place.sign or place.sign[0] in "\\\"'" or "-" in place.text[place.start : place.end]:
        return False
    alone = _LINE_START.search(place.text[max(0, place.start - 50) : place.start]) and _LINE_END.match(place.text, value.end())
    return value.lastgroup == "bare" and not alone


_ROBOT_VARIABLE = re.compile(r"[$@&%]\{(?P<name>[^{}\n]{1,80})\}(?P<item>\[[^\]\n]{0,80}\])?(?: = (?=[^ \n])|=(?=[^\s=]))")
_REST_OF_TEXT = re.compile(r"(?P<rest>.+?)(?=\s*\Z)", re.DOTALL)
_REST_OF_LINE = re.compile(r"(?P<rest>[^\n]+)")


def _robot_assignments(text: str) -> Iterator[Span]:
    """Find the value in Robot's ``${name} = value``, which can have several lines, and in ``[ ${name}='value' | ... ]``."""
    position = 0
    while match := _ROBOT_VARIABLE.search(text, position):
        position = match.end()
        kind = secret_kind(f"{match['name']} {match['item'] or ''}")
        if not kind:
            continue
        value = _robot_value(text, match)
        if value and can_be_secret(value[value.lastgroup or 0]):
            yield Span(*value.span(value.lastgroup or 0), "secret" if kind == "weak" else kind)
            position = max(position, value.end())


def _robot_value(text: str, match: re.Match[str]) -> re.Match[str] | None:
    if not match[0].endswith(" "):
        return _VALUE.match(text, match.end())
    is_whole_message = not text[: match.start()].strip()
    return (_REST_OF_TEXT if is_whole_message else _REST_OF_LINE).match(text, match.end())


_TYPED_TEXT = re.compile(
    r"""\b(?:typ|enter|fill|input|sett|send)\w{0,4}\s(?:the\s)?(?:text\s|keys?\s|value\s)?(?P<mark>["'])(?P<typed>[^\n]{1,300}?)(?P=mark)"""
    r"""\s(?:into|in|to)\s[^\n]{0,120}?(?:password|passwd|pwd|passphrase|passcode|senha|passwort|salasana)""",
    re.IGNORECASE,
)


def _typed_texts(text: str) -> Iterator[Span]:
    """Find what a log says was typed into a password field, as in ``Typing text 'value' into text field 'id:password'``."""
    for match in _TYPED_TEXT.finditer(text):
        if can_be_secret(match["typed"]):
            yield Span(*match.span("typed"), "password")
