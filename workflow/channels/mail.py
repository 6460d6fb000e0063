"""Mail by SMTP, with the standard library: one message to one person, in plain text."""

from __future__ import annotations

import datetime as dt
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

from workflow.channels.failure import ChannelFailure

TIMEOUT = 10.0
"""Seconds for each answer of the mail server."""
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
LONGEST_ADDRESS = 200


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in: ``smtps`` speaks TLS from the start, ``smtp`` changes to it when offered."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""


def read_server(url: str) -> MailServer:
    """The server of ``smtp://user:password@host:port`` or ``smtps://…``; ValueError when it is no such address."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("not an smtp address")
    port = parts.port or (465 if parts.scheme == "smtps" else 25)
    return MailServer(parts.scheme, parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))


def is_address(text: str) -> bool:
    """Whether ``text`` is an address that we send to: plain ASCII, no name, no line ends."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None and ".." not in text


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: to whom, about what, and its words."""

    to: str
    subject: str
    text: str


def compose(letter: Letter, sender: str, at: dt.datetime) -> EmailMessage:
    """The message as it is handed in; line ends in the subject become spaces."""
    if not is_address(letter.to):
        raise ChannelFailure("refused_address")
    name, address = parseaddr(sender)
    message = EmailMessage()
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = " ".join(letter.subject.split())[:200]
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="base64")
    return message


def send(letter: Letter, server: MailServer, sender: str, at: dt.datetime, timeout: float = TIMEOUT) -> None:
    """Hand one mail in; :class:`ChannelFailure` unless the server said that it took it. Credentials go by TLS only."""
    message = compose(letter, sender, at)
    try:
        with _connect(server, timeout) as smtp:
            smtp.send_message(message)
    except TimeoutError:
        raise ChannelFailure("timeout") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _words in error.recipients.values()]
        raise ChannelFailure("smtp", codes[0] if codes else None) from None
    except smtplib.SMTPResponseException as error:
        raise ChannelFailure("smtp", error.smtp_code) from None
    except (OSError, smtplib.SMTPException) as error:
        waited = isinstance(error.__context__, TimeoutError)  # smtplib tells of it as of a lost connection
        raise ChannelFailure("timeout" if waited else "unreachable") from None


def _connect(server: MailServer, timeout: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        smtp.ehlo_or_helo_if_needed()
        secured = server.scheme == "smtps"
        if not secured and smtp.has_extn("starttls"):
            smtp.starttls(context=context)
            smtp.ehlo()
            secured = True
        if server.user:
            if not secured and server.host not in ("127.0.0.1", "::1", "localhost"):
                raise ChannelFailure("smtp")
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp
