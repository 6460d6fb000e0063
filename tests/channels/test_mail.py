"""Mail: real SMTP conversations with a stand-in, and what may never be in a header."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from tests.channels.standin import MailServer, mail_server
from workflow.channels import mail
from workflow.channels.failure import ChannelFailure
from workflow.channels.mail import Letter
from workflow.channels.sealing import seal, unseal

AT = dt.datetime(2020, 2, 15, 1, 30, tzinfo=dt.UTC)
SENDER = "复工通 <noreply@fugong.example>"


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A stand-in."""
    with mail_server() as made:
        yield made


def send(
    server: MailServer, to: str = "zhang@town.example", subject: str = "案件", login: str = "", timeout: float = 30
) -> None:
    """Send a mail through the stand-in; ``timeout`` seconds are many, so that a busy machine has time to answer."""
    url = server.url.replace("//", f"//{login}@") if login else server.url
    mail.send(Letter(to, subject, "第一行\n.\n最后"), mail.read_server(url), SENDER, AT, timeout=timeout)


def test_a_mail_arrives_whole(server: MailServer) -> None:
    send(server, subject="案件交由您办理：复工-海曙-20200215-0042")
    ((sender, to, message),) = server.letters
    assert (sender, to) == ("noreply@fugong.example", "zhang@town.example")
    assert message["Subject"] == "案件交由您办理：复工-海曙-20200215-0042"
    assert message["From"] == SENDER
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@fugong.example>")
    assert message.get_content().replace("\r\n", "\n") == "第一行\n.\n最后\n"


def test_a_subject_can_not_add_headers(server: MailServer) -> None:
    send(server, subject="案件\r\nBcc: x@example.com\n\n正文")
    ((_sender, _to, message),) = server.letters
    assert message["Bcc"] is None
    assert message["Subject"] == "案件 Bcc: x@example.com 正文"


@pytest.mark.parametrize(
    "text", ["", "a", "a@b", "a@b.c", "a b@example.com", "a@example.com\nBcc: x@example.com", "a@example..com",
             "张@例.中国", "<a@example.com>", "a@example.com,b@example.com", "a" * 300 + "@example.com", "a@-x.com"],
)  # fmt: skip
def test_what_is_no_address(server: MailServer, text: str) -> None:
    assert not mail.is_address(text)
    with pytest.raises(ChannelFailure, match="refused_address"):
        send(server, to=text)
    assert server.letters == []


def test_a_refused_recipient_keeps_its_number(server: MailServer) -> None:
    server.refuse = "550 no such user zhang@town.example"
    with pytest.raises(ChannelFailure) as failed:
        send(server)
    assert str(failed.value) == "smtp 550", "and no words of the answer"


def test_a_silent_server_is_left(server: MailServer) -> None:
    server.silent = True
    with pytest.raises(ChannelFailure, match="timeout"):
        send(server, timeout=0.5)


def test_nobody_listens() -> None:
    with mail_server() as server:
        pass
    with pytest.raises(ChannelFailure, match="unreachable"):
        send(server)


def test_a_password_goes_to_this_host_or_by_tls_only(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.offers_login = True
    send(server, login="robot:pa%40ss")
    assert len(server.logins) == 1
    connect = mail.smtplib.SMTP.__init__
    monkeypatch.setattr(
        mail.smtplib.SMTP, "__init__", lambda self, host, port, **rest: connect(self, "127.0.0.1", port, **rest)
    )
    far = mail.MailServer("smtp", "mail.example", server.port, "robot", "pass")
    with pytest.raises(ChannelFailure, match="smtp"):
        mail.send(Letter("zhang@town.example", "x", "y"), far, SENDER, AT, timeout=30)
    assert len(server.logins) == 1


def test_addresses_of_servers() -> None:
    assert mail.read_server("smtps://a:b%2Fc@mail.example") == mail.MailServer("smtps", "mail.example", 465, "a", "b/c")
    assert mail.read_server("smtp://mail.example").port == 25
    for wrong in ("http://mail.example", "smtp://", "smtp://mail.example/x", "mail.example"):
        with pytest.raises(ValueError, match="smtp"):
            mail.read_server(wrong)


def test_sealed_texts_open_under_their_key_only() -> None:
    sealed = seal("https://qyapi.weixin.qq.com/?key=1", "a" * 32)
    assert "qyapi" not in sealed
    assert sealed != seal("https://qyapi.weixin.qq.com/?key=1", "a" * 32)
    assert unseal(sealed, "a" * 32) == "https://qyapi.weixin.qq.com/?key=1"
    assert unseal(seal("", "a"), "a") == ""
    for text, key in ((sealed, "b" * 32), (sealed[:-4] + "AAAA", "a" * 32)):
        with pytest.raises(ChannelFailure, match="sealed"):
            unseal(text, key)
