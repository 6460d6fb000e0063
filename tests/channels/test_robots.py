"""Group robots: real requests to a stand-in that takes, refuses, hangs, redirects and lies."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.channels.standin import RobotServer, robot_server
from workflow.channels import addresses, robots
from workflow.channels.failure import ChannelFailure
from workflow.channels.http import Patience
from workflow.core.notices import RobotKind

AT = dt.datetime(2020, 2, 15, 1, 30, tzinfo=dt.UTC)
HERE = ("http://127.0.0.1",)
SHORT = Patience(connect=0.5, read=1.0, whole=2.5)
LONG = Patience(connect=30, read=30, whole=60)
"""For answers that do come, on however busy a machine."""


@pytest.fixture
def server() -> Iterator[RobotServer]:
    """A stand-in."""
    with robot_server() as made:
        yield made


def send(
    server: RobotServer,
    path: str = "/robot?key=1",
    kind: RobotKind = RobotKind.WECOM,
    secret: str = "",
    patience: Patience = LONG,
) -> None:
    """Send a text to a path of the stand-in."""
    robots.send(kind, server.url(path), secret, "复工", AT, HERE, patience)


def test_wecom_takes_a_text(server: RobotServer) -> None:
    send(server)
    (seen,) = server.seen
    assert seen.path == "/robot?key=1"
    assert seen.body == {"msgtype": "text", "text": {"content": "复工"}}
    assert seen.headers["Content-Type"].startswith("application/json")
    assert seen.headers["Host"] == f"127.0.0.1:{server.port}"


def test_dingtalk_is_signed_in_the_address(server: RobotServer) -> None:
    send(server, "/robot/send?access_token=1", RobotKind.DINGTALK, "SECabc")
    query = parse_qs(urlsplit(server.seen[0].path).query)
    milliseconds = "1581730200000"
    expected = hmac.new(b"SECabc", f"{milliseconds}\nSECabc".encode(), hashlib.sha256).digest()
    assert query == {
        "access_token": ["1"],
        "timestamp": [milliseconds],
        "sign": [base64.b64encode(expected).decode()],
    }
    assert server.seen[0].body == {"msgtype": "text", "text": {"content": "复工"}}


def test_feishu_is_signed_in_the_body(server: RobotServer) -> None:
    server.answer = {"code": 0, "msg": "success", "data": {}}
    send(server, "/open-apis/bot/v2/hook/1", RobotKind.FEISHU, "abc")
    expected = hmac.new(b"1581730200\nabc", b"", hashlib.sha256).digest()
    assert server.seen[0].body == {
        "msg_type": "text",
        "content": {"text": "复工"},
        "timestamp": "1581730200",
        "sign": base64.b64encode(expected).decode(),
    }
    server.answer = {"StatusCode": 0, "StatusMessage": "success"}
    send(server, kind=RobotKind.FEISHU)
    assert "sign" not in server.seen[1].body


@pytest.mark.parametrize(
    ("kind", "answer", "number"),
    [
        (RobotKind.WECOM, {"errcode": 93000, "errmsg": "invalid webhook url"}, 93000),
        (RobotKind.DINGTALK, {"errcode": 310000, "errmsg": "sign not match"}, 310000),
        (RobotKind.FEISHU, {"code": 19021, "msg": "sign match fail"}, 19021),
    ],
)
def test_200_with_an_error_inside_is_a_failure(
    server: RobotServer, kind: RobotKind, answer: dict[str, object], number: int
) -> None:
    server.answer = answer
    with pytest.raises(ChannelFailure) as failed:
        send(server, kind=kind)
    assert (failed.value.why, failed.value.number) == ("errcode", number)
    assert str(failed.value) == f"errcode {number}", "and no words of the answer"


@pytest.mark.parametrize(
    ("path", "why", "number"),
    [
        ("/500", "http", 500),
        ("/302", "http", 302),
        ("/hang", "timeout", None),
        ("/loris", "timeout", None),
        ("/garbage", "answer", None),
        ("/list", "answer", None),
        ("/huge", "answer", None),
    ],
)
def test_whatever_is_not_an_answer_is_a_failure(server: RobotServer, path: str, why: str, number: int | None) -> None:
    started = time.monotonic()
    with pytest.raises(ChannelFailure) as failed:
        send(server, f"{path}/robot?key=1", patience=SHORT if why == "timeout" else LONG)
    assert (failed.value.why, failed.value.number) == (why, number)
    assert time.monotonic() - started < 15, "those that hang do so for longer"
    assert len(server.seen) == 1, "a redirect is not followed"


@pytest.mark.parametrize("answer", [{}, {"errcode": "0"}, {"errcode": None}, {"errcode": False}, {"errmsg": "ok"}])
def test_an_answer_without_a_number_is_not_taken_for_success(server: RobotServer, answer: dict[str, object]) -> None:
    server.answer = answer
    with pytest.raises(ChannelFailure, match="answer"):
        send(server)


def test_nobody_listens() -> None:
    with robot_server() as server:
        url = server.url()
    with pytest.raises(ChannelFailure, match="unreachable"):
        robots.send(RobotKind.WECOM, url, "", "复工", AT, HERE, LONG)


ALLOWED = ("qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
        "https://qyapi.weixin.qq.com:8443/send",
        "https://qyapi.weixin.qq.com.example.com/send",
        "https://user@qyapi.weixin.qq.com/send",
        "https://qyapi.weixin.qq.com@127.0.0.1/send",
        "https://127.0.0.1/send",
        "https://[::1]/send",
        "http://127.0.0.1/send",
        "https://qyapi.weixin.qq.com/send#x",
        "https://qyapi.weixin.qq.com/send?key=1 2",
        "https://qyapi.weixin.qq.com/\r\nHost: x",
        "https://qyapi.weixin.qq.com\\@127.0.0.1/",
        "https://qyapi.weixin.qq.com:99999/",
        "ftp://qyapi.weixin.qq.com/",
        "https://qyapi.weixin.qq.com/" + "a" * 600,
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ChannelFailure, match="refused_address"):
        addresses.check(url, ALLOWED)


def test_the_three_vendors_are_allowed_and_case_does_not_matter() -> None:
    found = addresses.check("https://OAPI.dingtalk.com/robot/send?access_token=1", ALLOWED)
    assert found == addresses.Target("https", "oapi.dingtalk.com", 443, "/robot/send?access_token=1", True)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0"],
)
def test_a_name_that_leads_into_the_own_network_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    public = (2, 1, 6, "", ("203.119.0.1", 443))
    found = [public, (2, 1, 6, "", (address, 443))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *a, **k: found)
    target = addresses.check("https://open.feishu.cn/open-apis/bot/v2/hook/1", ALLOWED)
    with pytest.raises(ChannelFailure, match="refused_address"):
        addresses.resolve(target)
