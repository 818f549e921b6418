"""The master by Sentinel: a real master, replica and sentinel, a real fail-over, and sentinels that do not answer."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from robot_ddn_listener.broker import TIMEOUT, Broker, redis_client
from robot_ddn_listener.contract import HEARTBEAT_KEY, QUEUE, FailureReport, Run
from robot_ddn_listener.errors import BrokerError, SettingsError
from robot_ddn_listener.redis_push import connected, envelope
from robot_ddn_listener.redis_url import UnusableUrlError, parse_redis_url, shown_url
from robot_ddn_listener.settings import read_settings
from utest.conftest import _wait_until, missing
from utest.servers.sentinel import PASSWORD, SENTINEL_PASSWORD, Sentinels, binary, free_port, sentinels


def report(number: int) -> FailureReport:
    return FailureReport(
        id=f"r{number}", project="p", fingerprint="f", run=Run("r"), suite_name="S", test_name="T", error_message="boom"
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    """One for all tests; the last of them kills the master."""
    program = binary()
    if not program:
        missing("redis-server")
    with sentinels(program, tmp_path_factory.mktemp("sentinel"), _wait_until) as running:
        yield running


@pytest.fixture
def hung() -> Iterator[str]:
    """The place of a sentinel that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def push(url: str, seconds: float = 5.0) -> None:
    with connected(parse_redis_url(url), seconds) as queue:
        queue.push(envelope("tasks.x", "id", {}, ""))


def test_a_report_goes_to_the_master_into_the_database_that_is_named(stack: Sentinels) -> None:
    with closing(Broker(stack.url(db=3))) as broker, stack.master(db=3) as master:
        broker.submit(report(1))
        assert master.llen(QUEUE) == 1
        assert broker.idle_reason() == "no worker is online"
        master.set(HEARTBEAT_KEY, "w1")
        assert (broker.idle_reason(), broker.verdicts("p", ["r1"])) == ("", {})
        push(stack.url(db=3))
        assert master.llen(QUEUE) == 2


def test_sentinels_that_are_down_or_hang_are_passed_over(stack: Sentinels, hung: str) -> None:
    url = stack.url(hung, f"127.0.0.1:{free_port()}")
    with closing(Broker(url)) as broker:
        broker.submit(report(1))
        assert broker.idle_reason() == "no worker is online"
    push(url, TIMEOUT)


def test_robot_hands_the_url_over_with_its_commas(stack: Sentinels, hung: str, tmp_path: Path) -> None:
    (tmp_path / "t.robot").write_text("*** Test Cases ***\nPasses\n    No Operation\n")
    command = [sys.executable, "-m", "robot", "--listener", f"robot_ddn_listener;redis={stack.url(hung, db=4)};project=p"]
    done = subprocess.run(
        [*command, "--output", "NONE", "--log", "NONE", "--report", "NONE", "t.robot"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    with stack.master(db=4) as master:
        assert master.llen(QUEUE) == 1


def every_way_fails(url: str) -> list[str]:
    """Return what is told of a place where no master is found."""
    told = []
    with closing(Broker(url)) as broker:
        for call in (lambda: broker.submit(report(1)), broker.idle_reason, lambda: push(url, TIMEOUT)):
            with pytest.raises(BrokerError) as caught:
                call()
            told.append(str(caught.value))
        assert all(f"{broker.where} failed: " in text for text in told[:2])
    assert all(secret not in text for text in told for secret in (PASSWORD, SENTINEL_PASSWORD))
    return told


@pytest.mark.timeout(10)
def test_sentinels_that_all_refuse_or_hang_are_told_of(hung: str) -> None:
    refused = f"127.0.0.1:{free_port()}"
    for places, cause in ((refused, "refused"), (f"{refused},{hung}", "timed out")):
        for text in every_way_fails(f"sentinel://{places}/0?master_name=ddn"):
            assert "Asking the sentinels for 'ddn' failed: " in text
            assert cause in text


def test_an_unknown_master_and_wrong_passwords_are_told_without_them(stack: Sentinels) -> None:
    url = stack.url()
    assert all("no master of that name is known" in text for text in every_way_fails(url.replace("=ddn", "=other")))
    assert all("WRONGPASS" in text for text in every_way_fails(url.replace("sentinels%2Bown", "wrong")))
    assert all("NOAUTH" in text for text in every_way_fails(url.partition("&")[0]))
    for text in every_way_fails(url.replace("open%2F", "shut%2F")):
        assert "WRONGPASS" in text or "invalid username-password" in text


@pytest.mark.parametrize(
    ("url", "got"),
    [
        ("sentinel://a", "got no 'master_name' of letters, digits and '.-_'"),
        ("sentinel://a?master_name=", "got no 'master_name'"),
        ("sentinel://a?master_name=x%0Ay", "got no 'master_name'"),
        ("sentinel://?master_name=m", "got no host of a sentinel"),
        ("sentinel://a,,b?master_name=m", "got no host of a sentinel"),
        ("sentinel://:{}@a:1;sentinel://:{}@b:2/0?master_name=m", "got several servers, separated by ';': write ','"),
        ("sentinel://a:port?master_name=m", "cannot be split"),
        ("sentinel://a/main?master_name=m", "got a database that is not a number"),
        ("sentinel://a?master_name=m&ssl=false", "got an 'ssl' other than true"),
        ("sentinel://a?master_name=m&ssl_cert_reqs=maybe", "got an 'ssl_cert_reqs' other than"),
        ("sentinel://a?master_name=m&password={}", "got the option 'password'"),
        ("redis://a?master_name=m", "got the option 'master_name'"),
    ],
)
def test_an_unusable_url_is_told_in_one_line_without_its_password(url: str, got: str) -> None:
    secret = "hun" + "ter"
    with pytest.raises(SettingsError) as caught:
        Broker(url.replace("{}", secret))
    assert got in str(caught.value)
    assert secret not in str(caught.value)
    found, problems = read_settings((f"redis={url.replace('{}', secret)}",), {})
    assert (found.redis, len(problems)) == ("", 1)
    assert got in problems[0]
    assert secret not in problems[0]


def test_a_url_says_where_to_ask_and_how() -> None:
    url = "sentinel://me:p%40@a,b:7,[::1]/3?master_name=m.1&sentinel_username=s&sentinel_passwor%64=p+x&ssl_ca_certs=/ca.pem"
    address = parse_redis_url(url)
    assert address.sentinels == (("a", 26379), ("b", 7), ("::1", 26379))
    assert (address.master, address.db, address.username, address.password) == ("m.1", 3, "me", "p@")
    assert (address.sentinel_username, address.sentinel_password) == ("s", "p x")
    assert address.tls == {"ssl_ca_certs": "/ca.pem", "ssl_cert_reqs": "required", "ssl_check_hostname": True}
    assert address.where == "redis master 'm.1' of sentinel a:26379,b:7,[::1]:26379/3 (TLS)"
    assert address.without_password("p@ and p x") == "*** and ***"
    assert parse_redis_url("sentinel://a?master_name=m").tls is None
    assert parse_redis_url("sentinel://a?master_name=m&ssl=true").tls
    with pytest.raises(UnusableUrlError):
        parse_redis_url("sentinel://a?master_name=m&ssl=1")
    assert shown_url(url) == (
        "sentinel://***@a,b:7,[::1]/3?master_name=m.1&sentinel_username=s&sentinel_passwor%64=***&ssl_ca_certs=/ca.pem"
    )


def test_after_a_fail_over_the_next_call_of_each_goes_to_the_new_master(stack: Sentinels, wait_until: Callable[..., Any]) -> None:
    with closing(Broker(stack.url())) as broker, closing(redis_client(parse_redis_url(stack.url()))) as client:
        broker.submit(report(1))
        client.ping()
        assert broker.idle_reason() == "no worker is online"
        old = stack.master_port()
        stack.kill_master()
        wait_until(lambda: stack.master_port() != old, "the fail-over")
        with stack.master() as master:
            wait_until(lambda: master.info("replication")["role"] == "master", "the replica to be master")
            before = master.llen(QUEUE)
            broker.submit(report(2))
            assert master.llen(QUEUE) == before + 1
            assert broker.idle_reason() == "no worker is online"
            client.set("seen", "by the new one")
            assert master.get("seen") == b"by the new one"
            push(stack.url())
            assert master.llen(QUEUE) == before + 2
