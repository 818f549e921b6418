"""GitHub over the wire: what is asked how often, what its failures mean, and where secrets do not go."""

import gzip
import ssl
import subprocess
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ddn_backend.adapters.github import GitHub
from ddn_backend.errors import PermanentError, SettingsError, TransientError
from ddn_backend.ports import CodeHostError
from servers.github import REPOSITORY, TOKEN, Fault, GitHubServer, Project, in_an_hour
from utest.conftest import RedisServer, missing

LATER_FAULTS = 12


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "shop")
    project.commit(lib__shop_py="a\nb\n")
    return project


@pytest.fixture
def server(project: Project) -> Iterator[GitHubServer]:
    with GitHubServer(project) as server:
        yield server


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    with redis_server.client() as client:
        yield client


def github(server: GitHubServer, client: Any = None, **options: Any) -> GitHub:
    return GitHub(REPOSITORY, **{"token": TOKEN, "redis": client, "api": server.url, **options})


def failure(host: GitHub) -> CodeHostError:
    with pytest.raises(CodeHostError) as caught:
        host.source("lib/shop.py", 1, 9, "main")
    shown = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in shown
    return caught.value


def head(project: Project) -> str:
    return project.git("rev-parse", "HEAD").strip()


def test_what_a_commit_has_is_asked_for_once_by_all_workers(server: GitHubServer, client: Any, project: Project) -> None:
    for _ in range(3):
        assert github(server, client).source("lib/shop.py", 1, 9, head(project))
    assert len(server.asked) == 1


def test_what_is_not_there_is_asked_for_once_too(server: GitHubServer, client: Any, project: Project) -> None:
    for _ in range(3):
        assert github(server, client).source("lib/none.py", 1, 9, head(project)) is None
    assert [asked.path for asked in server.asked] == ["/contents/lib/none.py", "/"]


def test_an_older_answer_is_asked_for_by_its_etag(server: GitHubServer, client: Any, project: Project) -> None:
    host = github(server, client)
    for _ in range(2):
        host.check()
    assert ["If-None-Match" in asked.headers for asked in server.asked] == [False, True]


def test_a_changed_answer_replaces_the_older_one(server: GitHubServer, client: Any, project: Project) -> None:
    host = github(server, client)
    host.check()
    server.faults.append(Fault(200, {"ETag": '"new"'}, b'{"changed": 1}'))
    host.check()
    server.faults.append(Fault(304, {"ETag": '"new"'}, b""))
    host.check()
    assert server.asked[2].headers["If-None-Match"] == '"new"'


def test_the_cache_works_over_a_tcp_connection_too(server: GitHubServer, redis_server: RedisServer, project: Project) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        for _ in range(2):
            assert github(server, client).source("lib/shop.py", 1, 9, head(project))
    assert len(server.asked) == 1


def test_another_token_does_not_see_what_was_cached(server: GitHubServer, client: Any, project: Project) -> None:
    assert github(server, client).source("lib/shop.py", 1, 9, head(project))
    with pytest.raises(PermanentError):
        github(server, client, token="other").source("lib/shop.py", 1, 9, head(project))


def test_the_token_is_not_on_redis(server: GitHubServer, client: Any, project: Project) -> None:
    assert github(server, client).source("lib/shop.py", 1, 9, head(project))
    texts = [key + (client.get(key) if client.type(key) == b"string" else b"") for key in client.scan_iter()]
    assert texts
    assert not any(TOKEN.encode() in text for text in texts)


def test_an_answer_that_is_not_json_is_not_kept(server: GitHubServer, client: Any, project: Project) -> None:
    host = github(server, client)
    server.faults.append(Fault(200, {"ETag": '"x"'}, b"<html>Please log in</html>"))
    with pytest.raises(TransientError, match="the answer is not GitHub's"):
        host.source("lib/shop.py", 1, 9, head(project))
    assert host.source("lib/shop.py", 1, 9, head(project))


def test_what_is_unreadable_in_the_cache_is_asked_for_again(server: GitHubServer, client: Any, project: Project) -> None:
    assert github(server, client).source("lib/shop.py", 1, 9, head(project))
    for key in client.keys("ddn:github:answer:*"):
        client.set(key, b"\xff{")
    assert github(server, client).source("lib/shop.py", 1, 9, head(project))
    assert len(server.asked) == 2


def test_all_workers_together_call_ten_times_a_minute(server: GitHubServer, client: Any, project: Project) -> None:
    workers = [github(server, client), github(server, client)]
    for number in range(10):
        workers[number % 2].check()
    error = failure(workers[0])
    assert isinstance(error, TransientError)
    assert 0 < error.delay <= 60
    assert error.cause.startswith("rate limited until ")
    assert error.cause.endswith(" UTC")
    assert len(server.asked) == 10


def test_other_tokens_have_their_own_limit(server: GitHubServer, client: Any) -> None:
    github(server, client, calls_a_minute=1).check()
    server.token = "other"
    github(server, client, token="other", calls_a_minute=1).check()


def test_without_redis_the_limit_holds_for_the_process(server: GitHubServer) -> None:
    host = github(server, calls_a_minute=2)
    host.check()
    host.check()
    assert failure(host).cause.startswith("rate limited until ")
    assert len(server.asked) == 2


RATE_LIMITS = {
    "primary": Fault(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{reset}"}),
    "primary, another status": Fault(429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{reset}"}),
    "secondary": Fault(403, {"Retry-After": "3600"}),
}


@pytest.mark.parametrize("name", RATE_LIMITS)
@pytest.mark.parametrize("shared", [True, False])
def test_nobody_calls_until_githubs_limit_is_over(server: GitHubServer, client: Any, name: str, shared: bool) -> None:
    fault = RATE_LIMITS[name]
    headers = {key: value.format(reset=in_an_hour()) for key, value in fault.headers.items()}
    server.faults.append(Fault(fault.status, headers, b"{}"))
    host = github(server, client if shared else None)
    for worker in (host, github(server, client) if shared else host):
        error = failure(worker)
        assert isinstance(error, TransientError)
        assert 3500 < error.delay <= 3600
        assert error.cause.startswith("rate limited until ")
    assert len(server.asked) == 1


@pytest.mark.parametrize("reset", ["", "soon", "-5", "9" * 400, "٣"])
def test_a_reset_that_makes_no_sense_is_bounded(server: GitHubServer, reset: str) -> None:
    try:
        reset.encode("latin-1")
    except UnicodeEncodeError:
        reset = "three"
    server.faults.append(Fault(429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}))
    assert 1 <= failure(github(server)).delay <= 3600


def test_a_limit_that_only_the_text_tells_is_one(server: GitHubServer) -> None:
    server.faults.append(Fault(403, {}, b'{"message": "You have exceeded a secondary rate limit."}'))
    assert failure(github(server)).cause.startswith("rate limited until ")


def test_a_wrong_token_names_its_setting(server: GitHubServer) -> None:
    error = failure(github(server, token="wrong"))
    assert isinstance(error, PermanentError)
    assert str(error) == (
        "Reading a file of 'acme/shop' on GitHub failed: it does not accept GITHUB_TOKEN (401). "
        "The analysis goes on without it. Set a valid GITHUB_TOKEN."
    )


def test_a_token_without_the_right_names_its_setting(server: GitHubServer) -> None:
    server.faults.append(Fault(403, {"X-RateLimit-Remaining": "4999"}, b'{"message": "Resource not accessible"}'))
    error = failure(github(server))
    assert isinstance(error, PermanentError)
    assert error.cause == "GITHUB_TOKEN does not allow it (403)"


def test_a_repository_that_is_not_there_names_its_setting(server: GitHubServer) -> None:
    host = GitHub("acme/other", TOKEN, api=server.url)
    error = failure(host)
    assert isinstance(error, PermanentError)
    assert "DDN_GITHUB_REPO" in str(error)
    with pytest.raises(PermanentError, match="no such repository"):
        host.check()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_github_may_be_tried_again(server: GitHubServer, status: int) -> None:
    server.faults.append(Fault(status, {}, b"oops"))
    error = failure(github(server))
    assert isinstance(error, TransientError)
    assert error.cause == f"it answered {status}"


@pytest.mark.parametrize("status", [204, 418])
def test_a_status_that_nobody_expects_is_told(server: GitHubServer, status: int) -> None:
    server.faults.append(Fault(status, {}, b""))
    assert failure(github(server)).cause == f"it answered {status}"


@pytest.mark.parametrize(
    "fault", [Fault(200, before_seconds=60), Fault(200, body=b"[" + b" " * 2000, drip_seconds=0.01)], ids=["silent", "drips"]
)
def test_a_slow_github_may_be_tried_again(server: GitHubServer, fault: Fault) -> None:
    server.faults.append(fault)
    error = failure(github(server, seconds=0.2))
    assert isinstance(error, TransientError)
    assert error.cause == "timed out"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"null,", b"[1"])
def test_an_answer_that_is_not_json_may_be_tried_again(server: GitHubServer, body: bytes) -> None:
    server.faults.append(Fault(200, {}, body))
    assert failure(github(server)).cause == "the answer is not GitHub's"


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'{"type": "file", "encoding": "base64", "content": "&"}', b'{"type": 1}'])
def test_an_answer_that_is_no_file_is_nothing(server: GitHubServer, body: bytes) -> None:
    server.faults.append(Fault(200, {}, body))
    assert github(server).source("lib/shop.py", 1, 9, "main") is None


@pytest.mark.parametrize("body", [b"[]", b"7", b"{}", b'{"sha": 1, "files": 1}', b'[{"sha": "a"}]', b'{"files": [{}], "sha": "a"}'])
def test_answers_of_another_shape_may_be_tried_again(server: GitHubServer, body: bytes, project: Project) -> None:
    host = github(server, calls_a_minute=100)
    for ask in (lambda: host.diff(head(project)), lambda: host.commits(["lib/"], "main", head(project))):
        server.faults.append(Fault(200, {}, body))
        with pytest.raises(TransientError, match="the answer is not GitHub's"):
            ask()


def test_an_answer_that_breaks_off_may_be_tried_again(server: GitHubServer) -> None:
    server.faults.append(Fault(200, {"Content-Length": "100", "Connection": "close"}, b"{"))
    assert failure(github(server)).cause == "the answer broke off"


@pytest.mark.parametrize("packed", [True, False])
def test_a_huge_answer_is_not_read_to_its_end(server: GitHubServer, project: Project, packed: bool) -> None:
    body = b'"' + b"x" * 30_000_000 + b'"'
    fault = Fault(200, {"Content-Encoding": "gzip"}, gzip.compress(body, 1)) if packed else Fault(200, {}, body)
    server.faults += [fault, fault, fault]
    host = github(server)
    assert host.source("lib/shop.py", 1, 9, "main") is None
    diff = host.diff(head(project))
    assert diff
    assert diff.cut == ("the changes: they are longer than 4,000,000 bytes",)
    with pytest.raises(PermanentError, match="the answer is longer than 4,000,000 bytes"):
        host.commits(["lib/"], head(project), head(project))


def test_a_renamed_repository_is_found(server: GitHubServer) -> None:
    server.faults.append(Fault(301, {"Location": f"/api/v3/repos/{REPOSITORY}/contents/lib/shop.py?ref=main"}))
    assert github(server).source("lib/shop.py", 1, 9, "main")
    assert server.asked[1].query == {"ref": "main"}


@pytest.mark.parametrize("location", ["{other}/api/v3/repos/acme/shop", "//evil.example/x", "ftp://127.0.0.1/", "file:///etc"])
def test_a_redirect_to_another_server_is_not_followed(server: GitHubServer, project: Project, location: str) -> None:
    with GitHubServer(project) as other:
        server.faults.append(Fault(302, {"Location": location.format(other=other.url)}))
        error = failure(github(server))
    assert isinstance(error, PermanentError)
    assert error.cause == "it redirects to another server"
    assert other.asked == []


def test_a_redirect_that_is_no_address_is_a_failure(server: GitHubServer) -> None:
    server.faults.append(Fault(302, {"Location": "http://[bad"}))
    assert failure(github(server)).cause == "the request could not be sent"


def test_a_circle_of_redirects_ends(server: GitHubServer) -> None:
    server.faults += [Fault(302, {"Location": "/again"})] * LATER_FAULTS
    assert failure(github(server)).cause == "it redirects in a circle"
    assert len(server.asked) == 4


def test_no_connection_may_be_tried_again(project: Project) -> None:
    with GitHubServer(project) as server:
        host = github(server)
    error = failure(host)
    assert isinstance(error, TransientError)
    assert error.cause == "no connection"


def test_a_lost_redis_may_be_tried_again(server: GitHubServer, tmp_path: Path) -> None:
    lost = redis.Redis(unix_socket_path=str(tmp_path / "none"), retry=Retry(NoBackoff(), 0))
    error = failure(github(server, lost))
    assert isinstance(error, TransientError)
    assert error.cause.startswith("Redis, ")
    assert server.asked == []


def test_a_proxy_of_the_environment_is_used(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "")
    server.token = ""
    server.faults.append(Fault(200, {}, b"{}"))
    GitHub(REPOSITORY, api="http://github.example").check()
    assert server.asked[0].target == "http://github.example/api/v3/repos/acme/shop"


@pytest.mark.parametrize("proxy", ["http://me:{secret}@127.0.0.1:1", "http://me:{secret}@127.0.0.1:port", "http://me:{secret}@"])
def test_the_password_of_a_proxy_is_in_no_message(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hunter" + "2hunter"
    monkeypatch.setenv("HTTP_PROXY", proxy.format(secret=secret))
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(CodeHostError) as caught:
        GitHub(REPOSITORY, api="http://github.example").check()
    assert isinstance(caught.value, TransientError)
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_credentials_of_a_netrc_file_are_not_sent(server: GitHubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password " + "hunter" + "2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    github(server).check()
    failure(github(server, token=""))
    assert [asked.headers.get("Authorization") for asked in server.asked] == [f"Bearer {TOKEN}", None]


def test_cookies_are_not_kept(server: GitHubServer) -> None:
    server.faults.append(Fault(200, {"Set-Cookie": "a=b"}, b"{}"))
    host = github(server)
    host.check()
    host.check()
    assert "Cookie" not in server.asked[1].headers


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of a company of our own, and its key."""
    certificate, key = tmp_path / "company.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        missing("openssl")
    return certificate, key


def test_the_companys_certificates_are_used(
    project: Project, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = GitHubServer(project)
    server.wrap(context)
    with server:
        host = github(server, api=server.url.replace("http:", "https:"))
        error = failure(host)
        assert isinstance(error, PermanentError)
        assert "REQUESTS_CA_BUNDLE" in str(error)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
        assert host.source("lib/shop.py", 1, 9, "main")


@pytest.mark.parametrize("repository", ["", "shop", "a/b/c", "../..", "./x", "a/b?x", "https://github.com/a/b", "a/b\n"])
def test_a_repository_that_is_none_is_a_wrong_setting(repository: str) -> None:
    with pytest.raises(SettingsError, match=r"^Reading setting 'DDN_GITHUB_REPO' failed: Expected owner/name, got"):
        GitHub(repository)


@pytest.mark.parametrize(
    "address", ["", "github.example", "ftp://github.example", "https://", "https://me:{secret}@github.example", "https://h:{secret}",
                "http://github.example", "https://h/?x={secret}", "https://[h"],
)  # fmt: skip
def test_an_unusable_address_is_a_wrong_setting(address: str) -> None:
    secret = "hunter" + "2"
    with pytest.raises(SettingsError, match=r"^Reading setting 'DDN_GITHUB_URL' failed: ") as caught:
        GitHub(REPOSITORY, TOKEN, api=address.format(secret=secret))
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_a_file_is_named_as_it_is(server: GitHubServer, project: Project) -> None:
    commit = project.commit_files({"tests/Ünder score & more#1.robot": "a\n"})
    assert github(server).source("tests/Ünder score & more#1.robot", 1, 9, commit)


def test_more_commits_than_a_page_has_are_found(server: GitHubServer, project: Project) -> None:
    passed = head(project)
    for number in range(101):
        commit = project.commit(lib__shop_py=f"{number}\n")
    found = github(server).commits(["lib/shop.py"], commit, passed, 3)
    assert found
    assert found[0].id == commit
    assert len(found) == 3
    assert [asked.query.get("page") for asked in server.asked] == ["1", "2", None]


def test_files_that_did_not_change_cost_no_calls(server: GitHubServer, project: Project) -> None:
    passed = head(project)
    commit = project.commit(lib__cart_py="a\n")
    assert github(server).commits(["lib/shop.py", "a.py", "b.py"], commit, passed) == ()
    assert len(server.asked) == 1
