"""A project full of planted secrets, everything that our parts write, send or serve, and a search through its bytes."""

import base64
import gzip
import io
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import redis
from conditions import PATIENCE_SECONDS, wait_until
from robot.api.deco import keyword, library
from robot.utils import escape

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "utest"))
from planted import BY_ENVIRONMENT, BY_PATTERN, OF_THE_WORKER, cores, made, planted
from servers.gemini import Answer, GeminiServer, calls, conclude, grades, is_grading, prompt, results
from servers.pinecone import KEY, PineconeServer

LIBRARY = Path(__file__).resolve().parents[1] / "testdata" / "leaks" / "Leaky.py"
PART = 8  # secrets in one text, as in Leaky.py
DEPTH = 4  # of packings inside packings
NOT_IN_NAMES = ("private_key",)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{40,}={0,2}")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_GZIP = re.compile(rb"\x1f\x8b\x08")
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


@library(scope="SUITE")
class Leaks:
    """Its model obeys: it reads whatever it can, and says again what it was told."""

    def __init__(self) -> None:
        self.model = GeminiServer(_obedient).__enter__()
        self.pinecone = PineconeServer().__enter__()
        self.said_to_redis = b""
        self._listening: socket.socket | None = None
        self._deaf: socket.socket | None = None

    @keyword
    def services(self) -> dict[str, str]:
        """Return the environment of a stack that sends all it has to the stand-ins."""
        self.pinecone.make("shop-knowledge-docs")
        self.pinecone.make("shop-error-library")
        return {
            "GOOGLE_GEMINI_BASE_URL": self.model.url,
            "GEMINI_API_KEY": made("the model's key", 30),
            "DDN_SEND": "code",
            "DDN_MODEL_CALLS": "4",
            "DDN_MODEL_GROUPS": "500",
            "DDN_MODEL_GRADES": "1",
            "DDN_PINECONE_INDEX": "shop",
            "PINECONE_API_KEY": KEY,
            "PINECONE_CONTROLLER_HOST": self.pinecone.host,
            "SHOP_DB_PASSWORD": OF_THE_WORKER,
            "DDN_REDACT": r"CUST-\d+",
        }

    @keyword
    def make_project(self, folder: Path) -> Path:
        """Make a git repository whose suite, library, commits and files hold the planted secrets; return its root."""
        root = Path(folder) / "project"
        (root / "tests").mkdir(parents=True)
        (root / "Shop.py").write_text(_library(), encoding="utf-8")
        (root / "tests" / "leaks.robot").write_text(_suite(), encoding="utf-8")
        (root / ".env").write_text(f"DB_PASSWORD={BY_ENVIRONMENT}\n", encoding="utf-8")
        (root / "notes.txt").write_text("\n".join([OF_THE_WORKER, *(one.shown for one in planted())]), encoding="utf-8")
        git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
        subject = " ".join(one.text for one in planted()[60:66])
        for command in (["init", "--quiet"], ["add", "--all", "--force"], ["commit", "--quiet", f"--message=Use {subject}"]):
            subprocess.run([*git, *command], check=True, capture_output=True)
        return root

    @keyword
    def environment_secret(self) -> str:
        return BY_ENVIRONMENT

    @keyword
    def listen_to_redis(self, url: str) -> None:
        """From now on keep every command that anybody sends, whatever stays of it."""
        there = redis.connection.parse_url(url)
        self._listening = socket.create_connection((there["host"], there["port"]))
        self._listening.sendall(b"MONITOR\r\n")
        threading.Thread(target=self._listen, daemon=True).start()
        wait_until(lambda: self.said_to_redis, "Redis tells what it is asked")

    def _listen(self) -> None:
        assert self._listening
        with suppress(OSError):
            while said := self._listening.recv(1 << 20):
                self.said_to_redis += said

    @keyword
    def deaf_redis(self) -> str:
        """Return the URL of a server that takes connections and never answers."""
        self._deaf = socket.create_server(("127.0.0.1", 0), backlog=64)
        return f"redis://127.0.0.1:{self._deaf.getsockname()[1]}/0"

    @keyword
    def end_services(self) -> None:
        for opened in (self._listening, self._deaf):
            if opened:
                opened.close()
        self.model.__exit__(None, None, None)
        self.pinecone.__exit__(None, None, None)

    @keyword
    def all_keys_of_redis(self, url: str) -> bytes:
        """Return every key with what it holds, as it is stored."""
        with redis.Redis.from_url(url) as client:
            return b"\n".join(key + b" " + client.dump(key) + b" " + _value(client, key) for key in client.scan_iter())

    @keyword
    def all_files_below(self, folder: Path) -> bytes:
        """Return the bytes and names of all files, databases also cell by cell."""
        files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        return b"\n".join(os.fsencode(path) + b"\n" + _content(path) for path in files)

    @keyword
    def all_that_pinecone_was_asked(self) -> bytes:
        return json.dumps(self.pinecone.asked, ensure_ascii=False).encode()

    @keyword
    def no_secret_should_be_in(self, place: str, *texts: "bytes | str", but: str = "") -> None:
        """Search the bytes of all texts, whatever is packed in them unpacked, for the core of each planted secret `but` one."""
        everything = b"\n".join(layer for text in texts for layer in _layers(_bytes(text)))
        found = sorted(name for name, core in cores().items() if name != but and any(form in everything for form in _forms(core)))
        if found:
            shown = "\n".join(f"{name}: {_around(everything, cores()[name])!r}" for name in found[:5])
            raise AssertionError(f"{place}: {len(found)} secrets are there: {found}\n{shown}")

    @keyword
    def marks_should_be_in(self, place: str, text: "bytes | str", share: float = 1.0) -> None:
        """Fail unless what stood beside the secrets arrived: else nothing was tested."""
        everything = b"\n".join(_layers(_bytes(text)))
        marks = [one.mark.encode() for one in planted()]
        there = [mark for mark in marks if mark in everything]
        if len(there) < share * len(marks):
            raise AssertionError(f"{place}: only {len(there)} of {len(marks)} marks arrived, not {set(marks) - set(there)}")

    @keyword
    def every_secret_should_be_in(self, place: str, text: "bytes | str") -> None:
        """For what Robot itself writes: the secrets were there to be found."""
        everything = b"\n".join(_layers(_bytes(text)))
        absent = [one.name for one in planted() if not any(form in everything for form in _forms(one.core))]
        if absent:
            raise AssertionError(f"{place}: not even there: {absent}")


def _obedient(request: dict[str, Any]) -> Answer:
    if is_grading(request):
        return grades(*([0.5] * str(request).count("relevan")) or [0.5])
    asked, seen = prompt(request), results(request)
    if not seen:
        return calls(
            ("read_log", {"around": 8}),
            ("read_log", {"grep": "about"}),
            ("read_source", {"file": "notes.txt", "first_line": 1, "last_line": 120}),
            ("read_source", {"file": "Shop.py", "first_line": 1, "last_line": 120}),
            ("read_source", {"file": ".env", "first_line": 1, "last_line": 120}),
            ("commits_since_last_pass", {}),
            ("search_past_failures", {"query": "gizmo amused"}),
            ("search_knowledge", {"query": "gizmo amused"}),
            thought=asked[:2000],
        )
    told = re.sub(r"\s+", " ", " ".join([asked, *seen]))
    return conclude(
        evidence=[{"quote": "was not amused", "where": "error message"}], root_cause=told[:500], recommendation=told[500:1500]
    )


def _texts() -> Iterator[tuple[int, list[Any]]]:
    every = planted()
    yield from ((part, list(every[part * PART : (part + 1) * PART])) for part in range(-(-len(every) // PART)))


def _library() -> str:
    """Return a library whose program text holds the secrets, at the lines that raise."""
    lines = [f"NAMELESS = {OF_THE_WORKER!r}", "", "", "class Shop:"]
    for part, secrets in _texts():
        lines += [
            f"    def raise_in_code_{part}(self):",
            "        self._fail(",
            f"            'The code of part {part} was not amused',",
        ]
        lines += [f"            {line!r}," for one in secrets for line in one.shown.split("\n")]
        lines += ["        )", ""]
    return "\n".join([*lines, "    def _fail(self, message, *texts):", "        raise RuntimeError(message)", ""])


def _suite() -> str:
    names = [one for one in planted() if one.name not in NOT_IN_NAMES]
    lines = [
        "*** Settings ***",
        f"Name    Suite {escape(names[2].shown)}",
        f"Library    {LIBRARY.as_posix()}",
        "Library    ../Shop.py",
    ]
    lines += [f"Resource    no/{escape(one.shown)}.resource" for one in names[:20] if "//" not in one.text]
    lines += ["Suite Setup    Know The Secret", "", "*** Test Cases ***"]
    for part, secrets in _texts():
        lines += [f"Message {part}", f"    Fail With    ${{{part}}}", f"Log {part}", f"    Log And Fail    ${{{part}}}"]
        lines += [f"Cause {part}", f"    Fail With Cause    ${{{part}}}", f"Code {part}", f"    Raise In Code {part}"]
        lines += [f"Argument {part}", f"    Refuse    ${{{part}}}", *(f"    ...    {_cell(one.shown)}" for one in secrets)]
    for number, one in enumerate(names):
        lines += [f"Named {escape(one.shown)}", f"    [Tags]    {_cell(one.shown)}", "    No Operation"]
        if number % PART == 0:
            lines += [f"Failing {escape(one.shown)}", f"    [Tags]    {_cell(one.shown)}", "    Fail    The name was not amused"]
    lines += [
        "Environment",
        "    Show Environment",
        "Elsewhere",
        "    Show What Is Secret Elsewhere",
        "Pictures",
        "    Take Screenshots",
    ]
    lines += ["Pattern", f"    Show    {BY_PATTERN}", "", "*** Keywords ***", "Know The Secret"]
    lines += ["    ${secret} =    Secret Of A Variable", "    VAR    ${API TOKEN}    ${secret}    scope=SUITE", ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return escape(text).replace("  ", " \\ ").replace("\n", "\\n")


def _bytes(text: "bytes | str") -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("utf-8", "replace")


def _forms(core: str) -> set[bytes]:
    raw = core.encode()
    encoded = {base64.b64encode(bytes(before) + raw)[(0, 2, 3)[before] :].rstrip(b"=")[:-1] for before in range(3)}
    return {raw, raw[::-1], raw.hex().encode(), *encoded, *(form.translate(bytes.maketrans(b"+/", b"-_")) for form in encoded)}


def _layers(content: bytes, depth: int = DEPTH) -> Iterator[bytes]:
    """Yield `content` and whatever is packed in it: base64, zlib, gzip, and the escapes of MONITOR."""
    yield content
    if not depth:
        return
    if b"\\x" in content:
        yield from _layers(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content), 0)
    for packed in set(_BASE64.findall(content)):
        with suppress(ValueError):
            unpacked = base64.b64decode(packed.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(packed) % 4))
            yield from _layers(unpacked, depth - 1)
    for found in _ZLIB.finditer(content):
        with suppress(zlib.error):
            yield from _layers(zlib.decompressobj().decompress(content[found.start() :], 1 << 26), depth - 1)
    for found in _GZIP.finditer(content):
        with suppress(OSError, EOFError, zlib.error):
            yield from _layers(gzip.GzipFile(fileobj=io.BytesIO(content[found.start() :])).read(1 << 26), depth - 1)


def _around(everything: bytes, core: str) -> bytes:
    at = min((everything.find(form) for form in _forms(core) if form in everything), default=0)
    return everything[max(0, at - 150) : at + 60]


def _value(client: "redis.Redis", key: bytes) -> bytes:
    read: dict[bytes, Any] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }
    value = read.get(client.type(key), lambda key: b"")(key)
    return value if isinstance(value, bytes) else _flat(value)


def _flat(value: Any) -> bytes:
    if isinstance(value, dict):
        value = [part for item in value.items() for part in item]
    if isinstance(value, (list, tuple, set)):
        return b"\n".join(map(_flat, value))
    return value if isinstance(value, bytes) else str(value).encode()


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(b"SQLite format 3"):
        return content
    return content + b"\n" + _flat(list(_cells(path)))


def _cells(path: Path) -> Iterator[Any]:
    """Yield all that a database holds, a row at a time: a long value is not in one piece in its file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE_SECONDS)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            with suppress(sqlite3.Error):
                yield from database.execute(f'SELECT * FROM "{name}"')
