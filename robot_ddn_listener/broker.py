"""The one door to Redis: failure reports go out as Celery tasks, verdicts come back, every foreign error becomes a BrokerError.

Celery and redis-py are imported at the first use: they cost a few hundred milliseconds, which only a run with a failure pays,
in its sender thread. Nothing of the user's own Celery takes part: not the current app, not CELERY_* variables, not Django.

Threads may share a Broker; its sends come one after the other. A forked child makes its own, the parent's lock may be held.
Silence is borne for TIMEOUT, then the call fails; the system's look-up of a host's name has limits of its own, often longer.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from .contract import (
    HEARTBEAT_KEY,
    PAUSED_KEY,
    QUEUE,
    SENT_HEADER,
    TASK_NAME,
    Analysis,
    FailureReport,
    decode,
    encode,
    verdict_key,
)
from .errors import BrokerError, ContractError, SettingsError
from .redis_url import EXPECTED, RedisAddress, UnusableUrlError, parse_redis_url, shown_url

if TYPE_CHECKING:
    import redis

TIMEOUT = 0.5  # seconds of silence: a hung server costs a call that much, a slow network answers sooner
MAX_VERDICT_BYTES = 1024 * 1024
MAX_SHOWN_CHARACTERS = 200  # of an error message in the task's summary, of a pause's reason

_NO_RETRY = {"max_retries": 0, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
# Retries must be allowed and limited to none: with task_publish_retry=False kombu's own default of many retries comes back.
_SENDER_SETTINGS = {
    "task_publish_retry_policy": _NO_RETRY,
    "task_send_sent_event": True,
    "task_serializer": "json",
    "broker_connection_timeout": TIMEOUT,
    "broker_transport_options": {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT, "socket_keepalive": True},
}


class Broker:
    """Redis as the listener sees it. Nothing is imported or connected before the first call.

    `where` names the place without its password. `unreadable` tells of the last `verdicts` call which verdicts were
    there but could not be used, and why, by report id.
    """

    def __init__(self, url: str):
        """Take a redis://, rediss://, redis+socket:// or sentinel:// URL; SettingsError for any other.

        Certificates are verified where TLS is spoken, unless `ssl_cert_reqs=none` or `optional` is in the URL.
        """
        self._address = _parsed(url)
        self.where = self._address.where
        self.unreadable: dict[str, str] = {}
        self._sending = threading.Lock()
        self._reading = threading.Lock()
        self._app: Any = None
        self._producer: Any = None
        self._events: Any = None
        self._client: redis.Redis | None = None

    def submit(self, report: FailureReport) -> None:
        """Send `report` to the backend's queue. The task's id is the report's, so that sending it twice changes nothing.

        Raises BrokerError when Redis did not take it, or did not say so in time; then it may have arrived all the same.
        """
        with self._sending, self._mapped(f"Sending to {self.where}"):
            if not (self._address.sentinels and self._is_sent_as_before(report)):
                self._send_or_hang_up(report)

    def verdicts(self, project: str, report_ids: Sequence[str]) -> dict[str, Analysis]:
        """Return the best verdicts so far, by report id; what is not there yet, or not readable, is left out."""
        ids = list(dict.fromkeys(report_ids))
        values = self._get([verdict_key(project, report_id) for report_id in ids], "verdicts")
        found, unreadable = {}, {}
        for report_id, value in zip(ids, values, strict=True):
            try:
                if value is not None:
                    found[report_id] = _read_verdict(report_id, value)
            except ContractError as error:
                unreadable[report_id] = str(error)
        self.unreadable = unreadable
        return found

    def idle_reason(self) -> str:
        """Return why nothing is analysed at present, as a short clause; empty when a worker is there and takes work."""
        paused, heartbeat = self._get([PAUSED_KEY, HEARTBEAT_KEY], "the state of the backend")
        if paused is not None:
            reason = _one_line(paused.decode("utf-8", "replace"))
            return f"the queue is paused: {reason}" if reason else "the queue is paused"
        return "" if heartbeat is not None else "no worker is online"

    def close(self) -> None:
        """Close all connections; a later call opens new ones. A send that hangs is not waited for longer than TIMEOUT."""
        if self._sending.acquire(timeout=TIMEOUT):
            try:
                self._hang_up()
            finally:
                self._sending.release()
        if self._client is not None:
            self._client.close()

    def _is_sent_as_before(self, report: FailureReport) -> bool:
        """Send to the master of the last time, if there was one: after a fail-over nobody is there, or a replica."""
        if self._producer:
            with suppress(Exception):  # it is sent to another master then
                self._send_or_hang_up(report)
                return True
        return False

    def _send_or_hang_up(self, report: FailureReport) -> None:
        try:
            self._send(report)
        except BaseException:
            self._hang_up()  # so that the next send looks the host up again: after a fail-over it is another
            raise

    def _send(self, report: FailureReport) -> None:
        if self._app is None:
            self._app = _sending_app()
        if self._producer is None:
            connection = _connection(_at_present(self._address), self._app)
            self._producer = self._app.amqp.Producer(connection, auto_declare=False)
            self._events = self._app.events.Dispatcher(connection, enabled=False)
        message = encode(report)
        # Producer and events are given, because those of the app itself look for their URL in CELERY_BROKER_URL first.
        self._app.send_task(
            TASK_NAME,
            [message],
            task_id=report.id,
            queue=QUEUE,
            argsrepr=_summary(message),
            headers={SENT_HEADER: time.time()},
            producer=self._producer,
            event_dispatcher=self._events,
        )

    def _hang_up(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(Exception):  # a connection that cannot be closed properly is dropped all the same
                producer.connection.release()

    def _get(self, keys: list[str], what: str) -> list[bytes | None]:
        if not keys:
            return []
        with self._mapped(f"Reading {what} from {self.where}"):
            return cast("list[bytes | None]", self._reader().mget(keys))

    def _reader(self) -> "redis.Redis":
        with self._reading:
            if self._client is None:
                self._client = redis_client(self._address)
            return self._client

    @contextmanager
    def _mapped(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (Exception, SystemExit) as error:
            # Whatever Celery, kombu and redis-py throw, and be it because they are broken: Redis was not reached.
            raise BrokerError(f"{doing} failed: {self._address.without_password(_cause(error))}.") from error


def _at_present(address: RedisAddress) -> RedisAddress:
    if not address.sentinels:
        return address
    from .sentinel import find_master  # only where there are any

    return find_master(address, time.monotonic() + TIMEOUT)


class _Sentinels:
    """In place of redis-py's own, which asks one sentinel after the other and has no deadline for all of them."""

    def __init__(self, address: RedisAddress, seconds: float):
        self._address = address
        self._seconds = seconds

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return host and port of the master, for each connection that is opened."""
        from redis.sentinel import MasterNotFoundError

        from .sentinel import find_master

        try:
            master = find_master(self._address, time.monotonic() + self._seconds)
        except BrokerError as error:
            raise MasterNotFoundError(str(error).rstrip(".")) from error
        return master.host, master.port


def _connection(address: RedisAddress, app: Any) -> Any:
    """Return a kombu connection, not connected yet."""
    if address.path:
        credentials = f"{quote(address.username, safe='')}:{quote(address.password, safe='')}@"
        return app.connection_for_write(f"redis+socket://{credentials}{quote(address.path)}?virtual_host={address.db}")
    return app.connection_for_write(
        address.host,
        transport="redis",
        port=address.port,
        virtual_host=str(address.db),
        userid=address.username,
        password=address.password,
        ssl=dict(address.tls) if address.tls else False,
    )


def redis_client(address: RedisAddress, seconds: float = TIMEOUT) -> "redis.Redis":
    """Return a redis-py client, not connected yet, that never tries twice and bears silence for that many seconds."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {
        "db": address.db,
        "username": address.username or None,
        "password": address.password or None,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    if address.tls:
        options |= {"ssl": True, **address.tls}
    if address.sentinels:
        from redis.sentinel import SentinelConnectionPool

        pool: redis.ConnectionPool = SentinelConnectionPool(address.master, _Sentinels(address, seconds), **options)  # type: ignore[no-untyped-call]
        return redis.Redis.from_pool(pool)
    place = {"unix_socket_path": address.path} if address.path else {"host": address.host, "port": address.port}
    return redis.Redis(**place, **options)


def _sending_app() -> Any:
    """Return an app of our own: without a result backend, whose loss would cost seconds a call, and deaf to the environment."""
    from celery import Celery

    # A given config_source keeps CELERY_CONFIG_MODULE out, a given loader CELERY_LOADER, no fixups DJANGO_SETTINGS_MODULE,
    # and a given backend class CELERY_RESULT_BACKEND. The worker stores results whatever the sender has.
    app = Celery(
        "robot_ddn_listener",
        loader="celery.loaders.app:AppLoader",
        config_source=_SENDER_SETTINGS,
        fixups=(),
        set_as_current=False,
    )
    app.backend_cls = "disabled"
    return app


def _summary(message: Mapping[str, Any]) -> str:
    """Return what Flower shows of a task: few fields, and no text long enough to be cut there."""
    shown = {name: message[name] for name in ("project", "suite_name", "test_name", "error_message", "error_type")}
    shown["error_message"] = shown["error_message"][:MAX_SHOWN_CHARACTERS]
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_SHOWN_CHARACTERS]


def _read_verdict(report_id: str, value: bytes) -> Analysis:
    if len(value) > MAX_VERDICT_BYTES:
        raise ContractError(report_id, f"Expected at most {MAX_VERDICT_BYTES} bytes, got {len(value)}.")
    try:
        message = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ContractError(report_id, f"Expected JSON: {error}.") from error
    analysis = decode(Analysis, message)
    if analysis.report_id != report_id:
        raise ContractError(report_id, f"Expected the verdict of this report, got that of {analysis.report_id!r:.80}.")
    return analysis


def _cause(error: BaseException) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


def _parsed(url: str) -> RedisAddress:
    try:
        return parse_redis_url(url)
    except UnusableUrlError as error:
        raise SettingsError(f"Reading Redis URL '{shown_url(url)}' failed: Expected {EXPECTED}, {error}.") from None
