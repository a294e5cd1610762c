"""Where a request came from: the prefix of a network, never a whole address. Pure.

A prefix (IPv4 /24, IPv6 /56) shows roughly where a request came from and who else comes from there; it names no
person. 56 bits are what a household gets (RFC 6177), so one flooder cannot seem to be many.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_network

IPV4_PREFIX = 24
IPV6_PREFIX = 56


def network_prefix(text: str | None) -> str | None:
    """Give the prefix of an IP address or of a network, or None for what is neither; any text may be asked about."""
    try:
        network = ip_network((text or "").strip().partition("%")[0][:64], strict=False)
    except ValueError:
        return None
    if isinstance(network, IPv6Network):
        mapped = IPv6Address(network.network_address).ipv4_mapped
        if mapped is not None and network.prefixlen >= 96:
            return network_prefix(str(mapped))
    longest = IPV4_PREFIX if network.version == 4 else IPV6_PREFIX
    short = network if network.prefixlen <= longest else network.supernet(new_prefix=longest)
    return str(short)
