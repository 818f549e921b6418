"""What operators are told when Redis cannot be used: each cause in a line of its own, with what to do."""

import http.server
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.errors import SettingsError
from ddn_backend.ops.running.redis_check import check_redis


def problem(url: str) -> str:
    with pytest.raises(SettingsError) as error:
        check_redis(url)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of a server that wants the password `open sesame`, and has a user who may do nothing."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    assert binary
    place = tmp_path_factory.mktemp("locked")
    users = "user default on >open-sesame ~* &* +@all\nuser nobody on >open-sesame -@all\n"
    (place / "redis.conf").write_text(f"port 0\nunixsocket {place / 's'}\nsave ''\ndir {place}\n{users}")
    process = subprocess.Popen([binary, str(place / "redis.conf")], stdout=subprocess.DEVNULL)
    while not answers(place / "s"):
        assert process.poll() is None
        time.sleep(0.01)
    yield str(place / "s")
    process.kill()
    process.wait()


def answers(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(place)) == 0


def test_a_redis_that_answers_is_fine(redis_server: Any) -> None:
    check_redis(redis_server.url)
    check_redis(redis_server.socket_url)


def test_nobody_listens(redis_server: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert problem(f"redis://:secret@127.0.0.1:{port}/0") == (
        f"Connecting to redis at 127.0.0.1:{port}/0 failed: nobody listens there. Start Redis, or correct DDN_REDIS_URL; "
        "`ddn up` without a URL brings its own."
    )


def test_no_such_host() -> None:
    assert "no host of that name is known" in problem("redis://nowhere.invalid:6379/0")


def test_no_such_socket(tmp_path: Path) -> None:
    assert "there is no such socket" in problem(f"redis+socket://{tmp_path}/none")


def test_passwords(locked: str) -> None:
    assert "it wants a password. Correct DDN_REDIS_URL" in problem(f"redis+socket://{locked}")
    wrong = problem(f"redis+socket://:sesame-street@{locked}")
    assert "the user or password is wrong" in wrong
    assert "sesame-street" not in wrong
    check_redis(f"redis+socket://:open-sesame@{locked}")
    assert "its user may not do that" in problem(f"redis+socket://nobody:open-sesame@{locked}")


def test_something_that_is_no_redis() -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        assert "Is that a Redis, and DDN_REDIS_URL its URL?" in problem(f"redis://127.0.0.1:{server.server_port}/0")
        assert "it does not speak TLS as expected" in problem(f"rediss://127.0.0.1:{server.server_port}/0")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "no answer within 3 s" in problem(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
