"""Who asks: the address of a client behind proxies that are trusted, and the network it comes from. Pure.

X-Forwarded-For is written by whoever wants to: it is read from its end, and only as far as trusted proxies wrote it.
What is kept of a client is its network (IPv4 /24, IPv6 /56), never its address.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from subscribers import network_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from ipaddress import IPv4Address, IPv6Address

    from starlette.requests import Request

    from mailer.settings.web import Network

NOBODY: Final = "0.0.0.0"  # noqa: S104 - nothing listens there: it stands for a client without an address
_MOST_HOPS: Final = 20


def address_of(scope: Mapping[str, Any], trusted: Sequence[Network]) -> str:
    """Give the client's address: the peer's, or the last one that is no trusted proxy in X-Forwarded-For."""
    client = scope.get("client")
    here = _address(client[0] if client else NOBODY)
    if here is None:
        return NOBODY
    for text in _forwarded(scope.get("headers", ())):
        if not any(_within(here, network) for network in trusted):
            break
        there = _address(text)
        if there is None:  # a proxy we trust wrote nonsense: it speaks for itself
            break
        here = there
    return str(here)


def network_of(address: str) -> str:
    """Give the network of an address: `192.0.2.0/24`, `2001:db8::/56`."""
    return network_prefix(address) or f"{NOBODY}/24"


def network(request: Request) -> str:
    """Give the network that a request comes from."""
    return network_of(address_of(request.scope, request.app.state.ground.settings.web.trusted_proxies))


def _forwarded(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Give the hops of every X-Forwarded-For field, the nearest first."""
    fields = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    hops = [hop.strip() for hop in ",".join(fields[-_MOST_HOPS:]).split(",")]
    return hops[: -_MOST_HOPS - 1 : -1] if fields else []


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, with or without a port."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare.partition("%")[0][:64])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _within(address: IPv4Address | IPv6Address, network: Network) -> bool:
    return address.version == network.version and address in network
