"""A mail server on loopback, as far as RFC 5321 is needed to take a message; what it took is in `mails`."""

import base64
import socketserver
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Mail:
    """A message with its envelope; `login` is "user:password" where the client gave them."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    login: str = ""

    @property
    def text(self) -> str:
        """All parts that are text, as they are read."""
        return "\n".join(part.get_content() for part in self.message.walk() if part.get_content_maintype() == "text")


class SmtpServer:
    """Answers MAIL FROM with the refusals, one each, before it takes messages; while `is_hung` it says nothing at all."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refusals: list[str] = []
        self.is_hung = False
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("_Bound", (_Session,), {"smtp": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> "SmtpServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


class _Session(socketserver.StreamRequestHandler):
    smtp: SmtpServer

    def handle(self) -> None:
        if self.smtp.is_hung:
            self.smtp.stopping.wait()
            return
        self._sender, self._recipients, self._login = "", [], ""
        self._say("220 loopback ESMTP")
        while line := self.rfile.readline():
            command, _, rest = line.decode().rstrip("\r\n").partition(" ")
            if command.upper() == "QUIT":
                self._say("221 bye")
                return
            answer = getattr(self, f"_{command.lower()}", None)
            self._say(answer(rest) if answer else "502 not implemented")

    def _ehlo(self, rest: str) -> str:
        return "250-loopback\r\n250-8BITMIME\r\n250 AUTH PLAIN"

    def _auth(self, rest: str) -> str:
        _, user, password = base64.b64decode(rest.split(" ")[1]).decode().split("\0")
        self._login = f"{user}:{password}"
        return "235 welcome"

    def _mail(self, rest: str) -> str:
        if self.smtp.refusals:
            return self.smtp.refusals.pop(0)
        self._sender, self._recipients = _address(rest), []
        return "250 ok"

    def _rcpt(self, rest: str) -> str:
        self._recipients.append(_address(rest))
        return "250 ok"

    def _rset(self, rest: str) -> str:
        return "250 ok"

    def _data(self, rest: str) -> str:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.smtp.mails.append(Mail(self._sender, tuple(self._recipients), message, self._login))
        return "250 taken"

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
