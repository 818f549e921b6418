"""A Redis master, its replica and sentinels on loopback, which fail over within two seconds; all of them want passwords."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from .certificates import Certificates

PASSWORD = "open/sesame@with:letters"
QUOTED = "open%2Fsesame%40with%3Aletters"
SENTINEL_PASSWORD = "sentinels+own"
MASTER = "ddn"
WaitUntil = Callable[..., Any]


@dataclass
class Sentinels:
    """`ports` are those of the sentinels; the first process is the master."""

    ports: list[int]
    processes: "list[subprocess.Popen[bytes]]"
    certificates: Certificates | None = None

    def url(self, *more: str, db: int = 2) -> str:
        """Return the URL with `more` places of sentinels before the real ones."""
        places = ",".join([*more, *(f"127.0.0.1:{port}" for port in self.ports)])
        tls = f"&ssl_ca_certs={self.certificates.authority}" if self.certificates else ""
        return f"sentinel://:{QUOTED}@{places}/{db}?master_name={MASTER}&sentinel_password=sentinels%2Bown{tls}"

    def master_port(self) -> int:
        with _client(self.ports[0], self.certificates, password=SENTINEL_PASSWORD) as client:
            address: Any = client.sentinel_get_master_addr_by_name(MASTER)
        return int(address[1])

    def master(self, db: int = 2) -> redis.Redis:
        """Return a client of the master at present, made without this product."""
        return _client(self.master_port(), self.certificates, db=db, password=PASSWORD)

    def kill_master(self) -> None:
        self.processes[0].kill()
        self.processes[0].wait()


@contextmanager
def sentinels(program: str, place: Path, wait_until: WaitUntil, certificates: Certificates | None = None) -> Iterator[Sentinels]:
    """Run them until the `with` block ends; `program` is redis-server or valkey-server. With certificates all of them speak TLS."""
    first, second, sentinel = (free_port() for _ in range(3))
    running = Sentinels([sentinel], [], certificates)

    def start(*words: str, port: int) -> None:
        ports = ["--port", "0", "--tls-port", str(port), "--tls-replication", "yes"] if certificates else ["--port", str(port)]
        options = [*ports, *(certificates.server_options if certificates else ()), "--bind", "127.0.0.1"]
        running.processes.append(subprocess.Popen([program, *words, *options], stdout=subprocess.DEVNULL))

    try:
        start(*_keeping_in(place / "first"), port=first)
        start(*_keeping_in(place / "second"), "--replicaof", f"127.0.0.1 {first}", port=second)
        with _client(second, certificates, password=PASSWORD) as replica:
            wait_until(lambda: _is_in_step(replica), "the replica to follow its master")
        (place / "sentinel.conf").write_text(_CONFIGURATION.format(place=place, port=first))
        start(str(place / "sentinel.conf"), "--sentinel", port=sentinel)
        with _client(sentinel, certificates, password=SENTINEL_PASSWORD) as client:
            wait_until(lambda: _knows_a_replica(client), "the sentinel to know the replica")
        yield running
    finally:
        for process in running.processes:
            process.kill()
            process.wait()


def binary() -> str:
    """Return the server's program; empty where there is none."""
    return shutil.which("redis-server") or shutil.which("valkey-server") or ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_CONFIGURATION = f"""
dir {{place}}
requirepass {SENTINEL_PASSWORD}
sentinel monitor {MASTER} 127.0.0.1 {{port}} 1
sentinel auth-pass {MASTER} {PASSWORD}
sentinel down-after-milliseconds {MASTER} 500
sentinel failover-timeout {MASTER} 5000
"""


def _keeping_in(place: Path) -> list[str]:
    place.mkdir()
    passwords = ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
    return ["--dir", str(place), "--save", "", "--repl-diskless-sync-delay", "0", *passwords]


def _client(port: int, certificates: Certificates | None, **options: Any) -> redis.Redis:
    if certificates:
        options |= {"ssl": True, "ssl_ca_certs": str(certificates.authority)}
    return redis.Redis(host="127.0.0.1", port=port, **options)


def _is_in_step(replica: redis.Redis) -> bool:
    try:
        found: Any = replica.info("replication")
    except redis.ConnectionError:
        return False
    return bool(found.get("master_link_status") == "up")


def _knows_a_replica(sentinel: redis.Redis) -> bool:
    try:
        found: Any = sentinel.sentinel_slaves(MASTER)
    except redis.ConnectionError:
        return False
    return bool(found)
