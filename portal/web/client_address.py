"""Who calls: the address that rate limits count by."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

MAX_PROXIES = 20
"""Addresses of X-Forwarded-For that are read at most, from the right."""
SUBSCRIBER_PREFIX = 64
"""Bits of an IPv6 address that name a subscriber; the others are theirs to choose (RFC 6177)."""

Address = IPv4Address | IPv6Address


def client_address(connection: HTTPConnection) -> str:
    """The client whose calls are counted together; empty over a socket file.

    It is the peer or, where the peer is a trusted proxy, the rightmost address of X-Forwarded-For
    that is no trusted proxy: what stands left of it is the client's own claim. An IPv6 address
    counts by its /64.
    """
    peer = connection.client.host if connection.client else ""
    address = _parse(peer)
    if address is None:
        return peer
    trusted = connection.app.state.settings.trusted_proxies
    for hop in _forwarded_for(connection) if trusted else ():
        if not _is_trusted(address, trusted):
            break
        forwarded = _parse(hop)
        if forwarded is None:
            break
        address = forwarded
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, SUBSCRIBER_PREFIX), strict=False))
    return str(address)


def _forwarded_for(connection: HTTPConnection) -> list[str]:
    """The addresses of X-Forwarded-For, the last one first."""
    headers = ",".join(connection.headers.getlist("x-forwarded-for"))
    return headers.rsplit(",", MAX_PROXIES)[: -MAX_PROXIES - 1 : -1]


def _parse(text: str) -> Address | None:
    """The address, without the port that some proxies add; None for what is no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_trusted(address: Address, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in trusted)
