"""Messages through apprise: mail, Slack, PagerDuty and its other services, each address a URL.

Addresses hold tokens and passwords, and so do apprise's own log lines: they stay here, and what is told of them is scrubbed.
"""

import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlencode, urlsplit

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
from apprise.exception import AppriseException

from ..errors import SettingsError
from ..ports import Notice, NoticeKind, NotifyError

if TYPE_CHECKING:
    from apprise import NotifyBase
    from apprise.logger import NotifyLogEntry

CALL_SECONDS = 20.0  # a message may take, whatever the service does in that time
SOCKET_SECONDS = 5.0  # to connect, and to wait for an answer
SECRET_CHARACTERS = 4  # a shorter part of an address is no secret, and would be found in words
HOST_IS_A_SERVER = ("mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms")
KEEPS_INCIDENTS = ("pagerduty",)

_KINDS = {NoticeKind.OPENED: NotifyType.FAILURE, NoticeKind.RESOLVED: NotifyType.SUCCESS, NoticeKind.TEST: NotifyType.INFO}
_WHY = "Socket Exception: "  # how apprise tells, at level DEBUG, what went wrong below it


class AppriseNotifier:
    """Implements the port Notifier for `addresses` by target; `file` is where they were read, for messages."""

    def __init__(self, addresses: Mapping[str, str], file: Path):
        """Check the addresses; SettingsError names the route of one that apprise does not know."""
        _silence()
        self._addresses = dict(addresses)
        # A redirect would take the headers of an address, keys among them, to another server; `redirect=yes` in one allows it.
        self._asset = AppriseAsset(app_id="robot-ddn-listener", app_desc="", app_url="", secure_logging=True, http_redirects=False)
        with warnings.catch_warnings():  # loading its services imports modules that Python 3.13 has not any more
            warnings.simplefilter("ignore", DeprecationWarning)
            self._services = {target: self._named(target, file) for target in self._addresses}

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self._addresses)

    def service(self, target: str) -> str:
        return self._services[target]

    def send(self, target: str, notice: Notice) -> None:
        sender = Apprise(asset=self._asset)
        sender.add(_for_incident(_with_timeouts(self._addresses[target]), notice))
        try:
            result = sender.notify(
                notice.text,
                notice.title,
                notify_type=_KINDS[notice.kind],
                body_format=NotifyFormat.TEXT,
                timeout=CALL_SECONDS,
                log_level=logging.DEBUG,
            )
        except AppriseException as error:
            raise self._failed(target, str(error)) from error
        if not result:
            raise self._failed(target, _cause(result.logs()))

    def _named(self, target: str, file: Path) -> str:
        service: NotifyBase | None = Apprise.instantiate(self._addresses[target], asset=self._asset)
        if service is None:
            scheme = urlsplit(self._addresses[target]).scheme
            raise SettingsError(
                f"Reading alert rules '{file}' failed: route '{target}': expected a URL of apprise such as "
                f"mailtos://USER:PASSWORD@HOST?to=ADDRESS, got {f'a {scheme}:// URL' if scheme else 'something'} that it does not "
                "understand. No alerts are sent."
            )
        return str(service.service_name)

    def _failed(self, target: str, cause: str) -> NotifyError:
        cause = _scrubbed(cause, self._addresses[target])
        return NotifyError(f"Telling '{target}' ({self.service(target)}) failed: {cause}.", cause)


def _silence() -> None:
    """Keep apprise's log lines out of ours: some of them hold keys. What matters of them is told by NotifyError."""
    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.DEBUG)  # only there it tells why: "Connection refused"
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # below that it tells paths, which are keys of webhooks


def _with_timeouts(address: str) -> str:
    return _with(address, {"cto": f"{SOCKET_SECONDS:g}", "rto": f"{SOCKET_SECONDS:g}"})


def _for_incident(address: str, notice: Notice) -> str:
    """Let a service that keeps incidents itself open one, and close that same one when it is over."""
    if urlsplit(address).scheme.lower() in KEEPS_INCIDENTS and notice.kind is not NoticeKind.TEST:
        return _with(address, {"action": "map", "dedup": f"ddn {notice.incident}"})
    return address


def _with(address: str, wanted: Mapping[str, str]) -> str:
    """Return the address with the query's values that are wanted; what it says itself stays."""
    new = {key: value for key, value in wanted.items() if not re.search(rf"[?&]{key}=", address, re.IGNORECASE)}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(new)}" if new else address


def _cause(entries: "Iterable[NotifyLogEntry]") -> str:
    """Return what apprise says went wrong, without the payloads and addresses that it logs as well."""
    told = [" ".join(line.split()).rstrip(".") for entry in entries for line in _telling(entry)]
    return "; ".join(dict.fromkeys(told)) or "it was not taken, and apprise does not say why"


def _telling(entry: "NotifyLogEntry") -> Iterator[str]:
    if entry.message.startswith(_WHY):
        yield entry.message.removeprefix(_WHY)
    elif entry.level in ("WARNING", "ERROR", "CRITICAL"):
        yield entry.message


def _scrubbed(text: str, address: str) -> str:
    """Return `text` without any part of the address, except for the name of a server."""
    parts = urlsplit(address)
    harmless = {parts.scheme.lower(), *([parts.hostname or ""] if parts.scheme.lower() in HOST_IS_A_SERVER else [])}
    pieces = {piece for piece in re.split(r"[/:@?&=#,;\s]+", address) if len(piece) >= SECRET_CHARACTERS}
    for piece in sorted({*pieces, *map(unquote, pieces)}, key=len, reverse=True):
        if piece.lower() not in harmless:
            text = re.sub(re.escape(piece), "***", text, flags=re.IGNORECASE)
    return text
