"""Stand-ins for the world outside: an HTTP server that answers as robots do or misbehaves, and an SMTP server."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK = {"errcode": 0, "errmsg": "ok"}


@dataclass(slots=True)
class Seen:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(slots=True)
class RobotServer:
    """A running stand-in; ``answer`` is the JSON given for a path that is not one of the bad ones."""

    port: int
    answer: dict[str, Any] = field(default_factory=lambda: dict(OK))
    seen: list[Seen] = field(default_factory=list)
    leaving: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/robot/send?key=0123456789") -> str:
        """An address on it."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def texts(self) -> list[str]:
        """The texts that came, in order."""
        return [str(s.body["text"]["content"] if "text" in s.body else s.body["content"]["text"]) for s in self.seen]


class _Handler(BaseHTTPRequestHandler):
    standin: RobotServer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _trickle(self) -> None:
        """One byte at a time, each well inside of any time to read."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not self.standin.leaving.wait(0.05):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return

    def do_POST(self) -> None:
        """Answer by the path."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.standin.seen.append(Seen(self.path, dict(self.headers), json.loads(body)))
        if self.path.startswith("/500"):
            self._send(500, b"broken")
        elif self.path.startswith("/302"):
            self._send(302, b"", Location=self.standin.url("/elsewhere"))
        elif self.path.startswith("/hang"):
            self.standin.leaving.wait(20)
        elif self.path.startswith("/loris"):
            self._trickle()
        elif self.path.startswith("/garbage"):
            self._send(200, b"\xff\xfe<html>")
        elif self.path.startswith("/list"):
            self._send(200, b"[0]")
        elif self.path.startswith("/huge"):
            self._send(200, b'{"errcode": 0, "x": "' + b"x" * 70_000 + b'"}')
        else:
            self._send(200, json.dumps(self.standin.answer).encode())


@contextmanager
def robot_server() -> Iterator[RobotServer]:
    """A robot's server on this host, gone at the end."""
    made = RobotServer(0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"standin": made}))
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.leaving.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass(slots=True)
class MailServer:
    """A running SMTP stand-in: ``letters`` are what was taken; ``refuse`` answers recipients, ``login`` what came."""

    port: int
    letters: list[tuple[str, str, EmailMessage]] = field(default_factory=list)
    refuse: str = ""
    silent: bool = False
    offers_login: bool = False
    logins: list[str] = field(default_factory=list)
    leaving: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its address as in the settings."""
        return f"smtp://127.0.0.1:{self.port}"


def _converse(connection: socket.socket, standin: MailServer) -> None:
    if standin.silent:
        standin.leaving.wait(20)
        return
    lines = connection.makefile("rb")
    say = lambda text: connection.sendall(text.encode() + b"\r\n")  # noqa: E731 - one word for all answers
    say("220 standin")
    sender = to = ""
    for raw in lines:
        command = raw.decode().strip()
        verb = command.partition(" ")[0].upper()
        if verb in ("EHLO", "HELO"):
            say("250-standin\r\n250 AUTH PLAIN" if standin.offers_login else "250 standin")
        elif verb == "AUTH":
            standin.logins.append(command)
            say("235 ok")
        elif verb == "MAIL":
            sender = command.partition(":")[2].partition(" ")[0].strip("<>")
            say("250 ok")
        elif verb == "RCPT":
            to = command.partition(":")[2].strip("<>")
            say(standin.refuse or "250 ok")
        elif verb == "DATA":
            say("354 go on")
            content = b"".join(iter(lines.readline, b".\r\n"))
            message = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            standin.letters.append((sender, to, message))
            say("250 taken")
        elif verb == "QUIT":
            say("221 bye")
            return
        else:
            say("250 ok")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """An SMTP server on this host, gone at the end."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = MailServer(listening.getsockname()[1])

    def talk(connection: socket.socket) -> None:
        with connection:
            try:
                _converse(connection, made)
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                connection, _peer = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.leaving.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)
