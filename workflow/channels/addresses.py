"""Which addresses we send to: hosts on the list, by https, at a public address; checked again at every sending."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from workflow.channels.failure import ChannelFailure

LONGEST = 500
_PRINTABLE = range(0x21, 0x7F)


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: where to connect and what to ask for. ``open_network``: only public addresses will do."""

    scheme: str
    host: str
    port: int
    path: str
    open_network: bool


def check(url: str, allowed: Sequence[str]) -> Target:
    """The target of ``url``; :class:`ChannelFailure` ``refused_address`` when it is none of the ``allowed``.

    ``allowed`` holds host names (https on 443, public addresses only) and, for development and tests, origins like
    ``http://127.0.0.1:8080`` or ``http://127.0.0.1`` (any port), which are taken as they are.
    """
    refused = ChannelFailure("refused_address")
    if not url or len(url) > LONGEST or any(ord(c) not in _PRINTABLE for c in url) or "\\" in url:
        raise refused
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refused from None
    host = (parts.hostname or "").rstrip(".")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise refused
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "https" and host in allowed and port in (None, 443):
        return Target("https", host, 443, path, open_network=True)
    if parts.scheme == "http" and {f"http://{host}", f"http://{host}:{port or 80}"} & set(allowed):
        return Target("http", host, port or 80, path, open_network=False)
    raise refused


def resolve(target: Target) -> str:
    """The IP address to connect to; the connection is made to exactly this one, so that no second answer slips in."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ChannelFailure("unreachable") from None
    addresses = [str(info[4][0]) for info in found]
    if not addresses:
        raise ChannelFailure("unreachable")
    if target.open_network and not all(_is_public(a) for a in addresses):
        raise ChannelFailure("refused_address")
    return addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast
