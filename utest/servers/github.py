"""A stand-in for GitHub's REST interface on loopback, which answers from a real git repository: contents, commits, comparisons.

Answers carry an ETag and vary by Authorization, as GitHub's do, and If-None-Match is answered with 304. A test may queue
`faults`, which are answered first, and finds what was asked in `asked`.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

REPOSITORY = "acme/shop"
TOKEN = "ghp_" + "x" * 8

_ME = {"AUTHOR_NAME": "Ada", "AUTHOR_EMAIL": "ada@example.com", "COMMITTER_NAME": "Ada", "COMMITTER_EMAIL": "ada@example.com"}


@dataclass
class Project:
    """A git repository in the making; each commit is a day younger than the one before."""

    root: Path
    day: int = 0

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def commit(self, message: str = "A change", **files: str | None) -> str:
        """Write the files (``lib__shop_py`` is lib/shop.py; None removes one), commit everything, return the commit's id."""
        return self.commit_files({_path(name): text for name, text in files.items()}, message)

    def commit_files(self, files: dict[str, str | None], message: str = "A change") -> str:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text, encoding="utf-8", newline="\n")
        self.git("add", "--all")
        return self.commit_index(message)

    def commit_index(self, message: str = "A change") -> str:
        self.day += 1
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        when = f"{datetime(2026, 3, 1, 12) + timedelta(days=max(0, self.day - 1))} +0000"
        environ = {f"GIT_{name}": value for name, value in _ME.items()} | {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
        done = subprocess.run(["git", "-C", str(self.root), *arguments], env=environ, capture_output=True, timeout=30)
        if done.returncode:
            raise LookupError(done.stderr.decode())
        return done.stdout.decode()


def _path(name: str) -> str:
    folder, _, file = name.rpartition("__")
    stem, _, suffix = file.rpartition("_")
    return "/".join(part for part in (folder.replace("__", "/"), f"{stem}.{suffix}" if stem else suffix) if part)


@dataclass(frozen=True)
class Asked:
    """A request: `path` below the repository's own, without the query."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    target: str


@dataclass(frozen=True)
class Fault:
    """What is answered instead."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    before_seconds: float = 0.0
    drip_seconds: float = 0.0  # between any two bytes of the body


class GitHubServer:
    """Serves `project` as acme/shop, below /api/v3, to who has `token`."""

    def __init__(self, project: Project, token: str = TOKEN):
        self.project = project
        self.token = token
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self._server = _Server(("127.0.0.1", 0), type("_Bound", (_Handler,), {"github": self}))
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def wrap(self, context: Any) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> "GitHubServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    github: "GitHubServer"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        prefix = f"/api/v3/repos/{REPOSITORY}"
        asked = Asked(target.path.removeprefix(prefix) or "/", dict(parse_qsl(target.query)), dict(self.headers.items()), self.path)
        self.github.asked.append(asked)
        if self.github.faults:
            self._break(self.github.faults.pop(0))
        elif self.github.token and asked.headers.get("Authorization") != f"Bearer {self.github.token}":
            self._answer(401, {"message": "Bad credentials"})
        elif target.path == "/api/v3/search/code":
            self._answer(200, _search(self.github.project, asked))
        elif not target.path.startswith(prefix):
            self._answer(404, {"message": "Not Found"})
        else:
            self._answer(*_found(self.github.project, asked))

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        headers = {"Vary": "Accept, Authorization, Cookie, X-GitHub-OTP", "Cache-Control": "private, max-age=60, s-maxage=60"}
        if status == 200 and self.headers.get("If-None-Match") == etag:
            return self._write(304, {**headers, "ETag": etag}, b"")
        return self._write(status, {**headers, **({"ETag": etag} if status == 200 else {})}, body)

    def _break(self, fault: Fault) -> None:
        self.github.stopping.wait(fault.before_seconds)
        body, drip = (b"", fault.body) if fault.drip_seconds else (fault.body, b"")
        self._write(fault.status, {"Content-Length": str(len(fault.body)), **fault.headers}, body)
        self.close_connection = self.close_connection or fault.headers.get("Connection") == "close"
        for byte in drip:
            if self.github.stopping.wait(fault.drip_seconds):
                break
            try:
                self.wfile.write(bytes([byte]))
            except OSError:  # the client has had enough
                break

    def _write(self, status: int, headers: dict[str, str], body: bytes) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if status != 304 or name != "Content-Length")
        try:
            self.wfile.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


def _found(project: Project, asked: Asked) -> tuple[int, Any]:
    try:
        for pattern, answer in _ROUTES:
            if match := pattern.fullmatch(asked.path):
                return 200, answer(project, asked, *(unquote(group) for group in match.groups()))
    except LookupError:
        pass
    return (422 if asked.path.startswith("/commits/") else 404), {"message": "No commit found"}


def _repository(project: Project, asked: Asked) -> Any:
    return {"full_name": REPOSITORY, "private": True}


def _contents(project: Project, asked: Asked, path: str) -> Any:
    revision = asked.query.get("ref", "HEAD")
    mode, kind, *_ = project.git("ls-tree", revision, "--", path.rstrip("/")).split() or [None, None]
    if not mode:
        raise LookupError(path)
    if kind == "tree":
        return [{"type": "file", "path": f"{path}/x"}]
    content = project.git("cat-file", "blob", f"{revision}:{path}").encode()
    if len(content) > 1_000_000:
        return {"type": "file", "encoding": "none", "content": "", "path": path}
    return {"type": "file", "encoding": "base64", "content": base64.encodebytes(content).decode(), "path": path}


def _commits(project: Project, asked: Asked) -> Any:
    since = [f"--since={asked.query['since']}"] if "since" in asked.query else []
    path = [asked.query["path"]] if "path" in asked.query else []
    limit = min(100, int(asked.query.get("per_page", 30)))
    revision = project.git("rev-parse", "--verify", f"{asked.query.get('sha', 'HEAD')}^{{commit}}").strip()
    listed = project.git("log", "--format=%H", f"--max-count={limit}", *since, revision, "--", *path).split()
    return [_commit(project, commit) for commit in listed]


def _commit(project: Project, commit: str) -> dict[str, Any]:
    parents, date, message = project.git("show", "--no-patch", "--format=%P%x00%cI%x00%B", commit).split("\0")
    when = {"date": date.replace("+00:00", "Z"), "name": "Ada", "email": "ada@example.com"}
    return {
        "sha": commit,
        "commit": {"message": message.strip(), "committer": when, "author": when},
        "parents": [{"sha": parent} for parent in parents.split()],
    }


def _search(project: Project, asked: Asked) -> Any:
    """Only of HEAD, only alternatives, only the first line that matches."""
    words, _, repository = asked.query["q"].partition(" repo:")
    assert repository == REPOSITORY
    options = [part for word in words.split(" OR ") for part in ("-e", word)]
    try:
        listed = project.git("grep", "-w", "--max-count=1", *options, "HEAD").splitlines()
    except LookupError:
        listed = []
    items = [line.removeprefix("HEAD:").partition(":") for line in listed[: int(asked.query["per_page"])]]
    matches = asked.headers["Accept"] == "application/vnd.github.text-match+json"
    return {"items": [{"path": path} | ({"text_matches": [{"fragment": text}]} if matches else {}) for path, _, text in items]}


def _one_commit(project: Project, asked: Asked, commit: str) -> Any:
    commit = project.git("rev-parse", "--verify", f"{commit}^{{commit}}").strip()
    return {**_commit(project, commit), "files": _files(project.git("show", "--format=", "--first-parent", "-M", commit))}


def _comparison(project: Project, asked: Asked, base: str, head: str) -> Any:
    for revision in (base, head):
        project.git("rev-parse", "--verify", f"{revision}^{{commit}}")
    ids = project.git("rev-list", "--reverse", f"{base}..{head}").split()
    size, page = int(asked.query.get("per_page", 250)), int(asked.query.get("page", 1))
    files = _files(project.git("diff", "-M", f"{base}...{head}"))[:300] if page == 1 else []
    shown = ids[(page - 1) * size : page * size]
    return {"total_commits": len(ids), "commits": [_commit(project, commit) for commit in shown], "files": files}


def _files(diff: str) -> list[dict[str, Any]]:
    return [_file(part) for part in re.split(r"^diff --git ", diff, flags=re.MULTILINE)[1:]]


def _file(part: str) -> dict[str, Any]:
    name = part.split("\n")[0].rpartition(" b/")[2]
    hunks = part.find("\n@@")
    file: dict[str, Any] = {"filename": name, "status": "modified", "changes": part.count("\n+") + part.count("\n-")}
    if renamed := re.search(r"^rename from (.*)$", part, re.MULTILINE):
        file |= {"status": "renamed", "previous_filename": renamed[1]}
    return file | ({"patch": part[hunks + 1 :].rstrip("\n")} if hunks >= 0 else {})


_ROUTES: tuple[tuple[re.Pattern[str], Callable[..., Any]], ...] = (
    (re.compile("/"), _repository),
    (re.compile(r"/contents/(.+)"), _contents),
    (re.compile(r"/commits"), _commits),
    (re.compile(r"/commits/([^/]+)"), _one_commit),
    (re.compile(r"/compare/(.+?)\.\.\.(.+)"), _comparison),
)


def in_an_hour() -> int:
    return int(time.time()) + 3600
