"""One repository's REST interface on GitHub or GitHub Enterprise: what is asked, how often, and what its failures mean.

Proxies and the company's certificates are taken from the environment by `requests` (HTTPS_PROXY, NO_PROXY,
REQUESTS_CA_BUNDLE). All workers share one cache and one rate limit a token, on Redis. Only GET is ever sent.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from redis import Redis, RedisError
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from ..errors import SettingsError
from ..ports import CodeHostDownError, CodeHostError, CodeHostRefusedError
from .call_limit import CallLimit
from .etag_cache import EtagCache

PUBLIC_API = "https://api.github.com"
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 8.0
MAX_ANSWER_BYTES = 4_000_000
MAX_REDIRECTS = 3  # a renamed repository takes one
NOTHING_SECONDS = 300.0  # for so long it is believed that there is nothing; what is not pushed yet may come
FRESH_SECONDS = 60.0  # of what is not known to stay as it is; GitHub says the same itself
UNKNOWN_RESET_SECONDS = 60.0
LONGEST_RESET_SECONDS = 3600.0  # GitHub's own window

_NEXT = "The analysis goes on without it."
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_NOTHING_THERE = (404, 409, 410, 422)  # no such thing, an empty repository, gone, no such commit

T = TypeVar("T")


class TooLongError(Exception):
    """An answer has more than MAX_ANSWER_BYTES."""


class GitHubRest:
    """Asks GitHub about `repository` (owner/name); `api` is its address, of Enterprise with or without ``/api/v3``."""

    def __init__(self, repository: str, token: str, redis: "Redis | None", api: str, calls_a_minute: int, seconds: float):
        if not _REPOSITORY.fullmatch(repository) or any(part in (".", "..") for part in repository.split("/")):
            raise SettingsError(
                f"Reading setting 'DDN_GITHUB_REPO' failed: Expected owner/name, got '{repository}'. GitHub is not used."
            )
        who = hashlib.sha256(token.encode()).hexdigest()[:16] if token else "nobody"
        self._repository = repository
        self._api = _api_address(api, bool(token))
        self._seconds = seconds
        self._session = _session(token)
        self._cache = EtagCache(redis, f"ddn:github:answer:{who}")
        self._limit = CallLimit(redis, "ddn:github", who, calls_a_minute)

    def check(self) -> None:
        """Raise CodeHostError where the repository cannot be read with these settings."""
        if self._get("", "Looking up", {}, 0.0) is None:
            raise self._not_visible("Looking up")

    def bounded_json(self, path: str, doing: str, parameters: Mapping[str, Any], fresh_seconds: float) -> Any:
        """As `json`, but an answer that is too long is a failure of GitHub's like others."""
        try:
            return self.json(path, doing, parameters, fresh_seconds)
        except TooLongError:
            raise self.refused(doing, f"the answer is longer than {MAX_ANSWER_BYTES:,} bytes") from None

    def json(self, path: str, doing: str, parameters: Mapping[str, Any], fresh_seconds: float) -> Any:
        """Return what is at `path` of the repository, None where there is nothing. `fresh_seconds`: how long it stays as it is."""
        body = self._get(path, doing, parameters, fresh_seconds)
        if body is None:
            if self._get("", doing, {}, NOTHING_SECONDS) is None:  # nothing is ever found where the repository is not
                raise self._not_visible(doing)
            return None
        return self.understood(doing, lambda: json.loads(body))

    def found(self, words: str, limit: int) -> Any:
        """Return what GitHub's search finds for `words` in the code of the default branch, None where it does not search there."""
        asked = {"q": f"{words} repo:{self._repository}", "per_page": limit}
        doing, accept = "Searching the code", {"Accept": "application/vnd.github.text-match+json"}
        body = self._fetched(f"{self._api}/search/code", doing, asked, FRESH_SECONDS, accept)
        return None if body is None else self.understood(doing, lambda: json.loads(body))

    def understood(self, doing: str, read: Callable[[], T]) -> T:
        """Return what `read` makes of an answer; one that has not GitHub's form, such as a proxy's page, is a failure."""
        try:
            return read()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self.down(doing, "the answer is not GitHub's") from None

    def _get(self, path: str, doing: str, parameters: Mapping[str, Any], fresh_seconds: float) -> bytes | None:
        return self._fetched(f"{self._api}/repos/{self._repository}{path}", doing, parameters, fresh_seconds, {}, bool(path))

    def _fetched(
        self,
        url: str,
        doing: str,
        parameters: Mapping[str, Any],
        fresh_seconds: float,
        headers: Mapping[str, str],
        keeps_nothing: bool = True,
    ) -> bytes | None:
        """Return the body, from the cache where it is known to be current; None where GitHub has no such thing."""
        try:
            kept = self._cache.get(url, parameters)
            if kept and kept.is_fresh:
                return kept.body or None
            known = {"If-None-Match": kept.etag} if kept and kept.etag else {}
            response = self._send(url, doing, parameters, {**headers, **known})
            with response:
                body = kept.body if kept and response.status_code == 304 else self._body(response, doing)
            if body is not None and response.headers.get("ETag") and _is_json(body):
                self._cache.put(url, parameters, body, response.headers["ETag"], fresh_seconds)
            if body is None and keeps_nothing:
                self._cache.put(url, parameters, b"", "", NOTHING_SECONDS)
        except RedisError as error:
            raise self.down(doing, "Redis, which holds its cache and rate limit, did not answer") from error
        return body

    def _send(self, url: str, doing: str, parameters: Mapping[str, Any], headers: Mapping[str, str]) -> requests.Response:
        asked: Mapping[str, Any] | None = parameters
        for _ in range(MAX_REDIRECTS + 1):
            self._take_turn(doing)
            response = self._sent(url, doing, asked, headers)
            if not response.is_redirect:
                return response
            response.close()
            url, asked = self._redirected(url, response.headers["Location"], doing), None
        raise self.refused(doing, "it redirects in a circle")

    def _sent(self, url: str, doing: str, parameters: Mapping[str, Any] | None, headers: Mapping[str, str]) -> requests.Response:
        try:
            return self._session.get(
                url,
                params=parameters,
                headers=headers,
                allow_redirects=False,
                stream=True,
                timeout=(min(CONNECT_SECONDS, self._seconds), self._seconds),
            )
        except requests.exceptions.SSLError as error:
            raise self.refused(doing, "its certificate is not trusted", "Name your company's in REQUESTS_CA_BUNDLE.") from error
        except requests.exceptions.ProxyError:
            raise self.down(doing, "the proxy did not answer") from None  # the cause may show the proxy's password
        except requests.exceptions.Timeout as error:
            raise self.down(doing, "timed out") from error
        except requests.exceptions.ConnectionError as error:
            raise self.down(doing, "no connection") from error
        except (requests.exceptions.RequestException, HTTPError, ValueError, TypeError):
            # What `requests` says, or trips over, when the address of a proxy is unusable; it may show that address.
            raise self.down(doing, "the request could not be sent") from None

    def _take_turn(self, doing: str) -> None:
        seconds = self._limit.take()
        if seconds > 0:
            raise self._limited(doing, seconds)

    def _redirected(self, url: str, location: str, doing: str) -> str:
        """Return where to go, if at the same server: the token must not go elsewhere, nor we into the company's network."""
        try:
            there = urljoin(url, location)
            ours, theirs = urlsplit(self._api), urlsplit(there)
            is_same = (ours.scheme, ours.hostname, ours.port) == (theirs.scheme, theirs.hostname, theirs.port)
        except ValueError:
            is_same = False
        if not is_same:
            raise self.refused(doing, "it redirects to another server")
        return there

    def _body(self, response: requests.Response, doing: str) -> bytes | None:
        status = response.status_code
        if status == 200:
            return self._read(response, doing)
        if status in _NOTHING_THERE:
            return None
        if status == 401:
            raise self.refused(doing, "it does not accept GITHUB_TOKEN (401)", "Set a valid GITHUB_TOKEN.")
        if status in (403, 429):
            raise self._forbidden(response, doing)
        if status >= 500:
            raise self.down(doing, f"it answered {status}")
        raise self.refused(doing, f"it answered {status}")

    def _read(self, response: requests.Response, doing: str) -> bytes:
        deadline, body = time.monotonic() + self._seconds, bytearray()
        try:
            while chunk := response.raw.read1(65536, decode_content=True):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise TooLongError
                if time.monotonic() > deadline:
                    raise self.down(doing, "timed out")
        except (HTTPError, OSError) as error:
            raise self.down(doing, "the answer broke off") from error
        return bytes(body)

    def _forbidden(self, response: requests.Response, doing: str) -> CodeHostError:
        seconds = _reset_seconds(response.headers)
        if seconds is None and response.status_code == 403 and b"rate limit" not in self._read(response, doing):
            return self.refused(doing, "GITHUB_TOKEN does not allow it (403)", "Set a GITHUB_TOKEN that may read the contents.")
        seconds = UNKNOWN_RESET_SECONDS if seconds is None else seconds
        self._limit.hold(seconds)
        return self._limited(doing, seconds)

    def _limited(self, doing: str, seconds: float) -> CodeHostError:
        until = datetime.fromtimestamp(time.time() + seconds, UTC)
        return self.down(doing, f"rate limited until {until:%H:%M} UTC", seconds)

    def _not_visible(self, doing: str) -> CodeHostError:
        setting = "Set DDN_GITHUB_REPO to owner/name, and a GITHUB_TOKEN that may read it."
        return self.refused(doing, "there is no such repository, or GITHUB_TOKEN may not see it", setting)

    def refused(self, doing: str, cause: str, setting: str = "") -> CodeHostError:
        return CodeHostRefusedError(f"{doing} of '{self._repository}' on GitHub failed: {cause}. {_NEXT} {setting}".rstrip(), cause)

    def down(self, doing: str, cause: str, delay: float = 0.0) -> CodeHostError:
        return CodeHostDownError(f"{doing} of '{self._repository}' on GitHub failed: {cause}. {_NEXT}", cause, delay)


class _Token(AuthBase):
    """Also without a token: else `requests` would send what it finds in ~/.netrc."""

    def __init__(self, token: str):
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _session(token: str) -> requests.Session:
    session = requests.Session()
    session.auth = _Token(token)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(
        {
            "Accept": "application/vnd.github+json",
            "User-Agent": "robot-ddn-listener",
            "X-GitHub-Api-Version": "2022-11-28",
        }
    )
    return session


def _api_address(url: str, has_token: bool) -> str:
    try:
        parts = urlsplit(url.strip().rstrip("/"))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _unusable("something that is no address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise _unusable("something else")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _unusable("one with a user, a password, a query or a fragment")
    if parts.scheme == "http" and has_token and not _is_this_machine(host):
        raise _unusable("http, over which anybody on the way could read GITHUB_TOKEN")
    if host == "github.com":
        return PUBLIC_API
    where = f"[{host}]" if ":" in host else host
    path = parts.path or ("" if host.startswith("api.") else "/api/v3")
    return f"{parts.scheme}://{where}{f':{port}' if port else ''}{path}"


def _unusable(got: str) -> SettingsError:
    return SettingsError(
        f"Reading setting 'DDN_GITHUB_URL' failed: Expected an address such as https://github.example.com, got {got}. "
        "GitHub is not used."
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Return for how long GitHub wants no calls; None where it does not say that there were too many."""
    if "Retry-After" in headers:
        return _bounded(headers["Retry-After"], 0.0)
    if headers.get("X-RateLimit-Remaining") == "0":
        return _bounded(headers.get("X-RateLimit-Reset", ""), time.time())
    return None


def _bounded(text: str, now: float) -> float:
    seconds = float(text) - now if text.isdecimal() else UNKNOWN_RESET_SECONDS
    return min(max(seconds, 1.0), LONGEST_RESET_SECONDS)
