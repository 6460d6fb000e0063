"""One POST of JSON with bounds on the address, the time of each part and of the whole, and the answer's size."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from workflow.channels import addresses
from workflow.channels.failure import ChannelFailure

MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a connection, for each piece of the answer, and for all together."""

    connect: float = 3
    read: float = 5
    whole: float = 10


def post_json(
    url: str,
    body: Mapping[str, Any],
    allowed: Sequence[str],
    patience: Patience = Patience(),
) -> Mapping[str, Any]:
    """Send ``body`` and give back the JSON object of a 200 answer; :class:`ChannelFailure` for everything else.

    A redirect is an answer like any other that is not 200: it is not followed.
    """
    target = addresses.check(url, allowed)
    connection = _open(target, addresses.resolve(target), patience)
    ended = threading.Event()
    watch = threading.Timer(patience.whole, _end, (connection, ended))
    watch.daemon = True
    watch.start()
    try:
        status, content = _exchange(connection, target, body, patience)
    except TimeoutError:
        raise ChannelFailure("timeout") from None
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        late = ended.is_set() or "Timeout" in type(error).__name__ or isinstance(error.__cause__, TimeoutError)
        raise ChannelFailure("timeout" if late else "unreachable") from None
    finally:
        watch.cancel()
        connection.close()
    if ended.is_set():
        raise ChannelFailure("timeout")
    if status != 200:
        raise ChannelFailure("http", status)
    return _object(content)


def _open(target: addresses.Target, address: str, patience: Patience) -> HTTPConnection:
    """A connection to ``address`` that speaks TLS under the target's name."""
    timeout = Timeout(connect=patience.connect, read=patience.read).connect_timeout
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=timeout)
    return HTTPSConnection(
        address, target.port, timeout=timeout, server_hostname=target.host, assert_hostname=target.host
    )


def _exchange(
    connection: HTTPConnection, target: addresses.Target, body: Mapping[str, Any], patience: Patience
) -> tuple[int, bytes]:
    connection.connect()
    if connection.sock is not None:
        connection.sock.settimeout(patience.read)
    connection.timeout = patience.read
    usual = 443 if target.scheme == "https" else 80
    headers = {
        "Host": target.host if target.port == usual else f"{target.host}:{target.port}",
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
        "Connection": "close",
    }
    content = json.dumps(body, ensure_ascii=False).encode()
    connection.request("POST", target.path, body=content, headers=headers, preload_content=False)
    answer = connection.getresponse()
    return answer.status, answer.read(MOST_BYTES + 1)


def _end(connection: HTTPConnection, ended: threading.Event) -> None:
    """Break the connection off: whoever trickles bytes would otherwise be waited for without end."""
    ended.set()
    if connection.sock is not None:
        try:
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        except OSError:
            return  # it ended by itself at the same moment


def _object(content: bytes) -> Mapping[str, Any]:
    if len(content) > MOST_BYTES:
        raise ChannelFailure("answer")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise ChannelFailure("answer") from None
    if not isinstance(found, dict):
        raise ChannelFailure("answer")
    return found
