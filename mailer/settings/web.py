"""`[web]`: the pages for readers: who stands before them, and how many letters their forms may cause.

Limits are in letters that sign-up forms can cause, which is how such forms are abused; nothing here limits how many
readers may leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Network: TypeAlias = IPv4Network | IPv6Network
PORT = 8025
NEAR = ("127.0.0.0/8", "::1/128")
"""A proxy on this machine is trusted unless told otherwise: the pages listen on the loopback."""


def _network(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError('is no network; write it as "10.0.0.0/8" or "2001:db8::1"') from None


def _origin(text: str) -> str:
    parts = urlsplit(text.strip())
    plain = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in {"http", "https"} or not parts.hostname or plain != text.strip() or "@" in plain:
        raise ValueError('is no origin; write it as "https://www.your-domain", without a path')
    return plain.lower()


class WebTable(BaseModel):
    """`[web]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, hide_input_in_errors=True)

    trusted_proxies: tuple[Annotated[Network, BeforeValidator(_network)], ...] = tuple(map(ip_network, NEAR))
    origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()
    proof_of_work: bool = False
    address_per_day: int = Field(default=3, ge=1, le=1000)
    network_per_hour: int = Field(default=30, ge=1, le=1_000_000)
    all_per_hour: int = Field(default=1000, ge=1, le=10_000_000)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the pages need to know. The last three are letters that sign-ups and the like may cause."""

    trusted_proxies: tuple[Network, ...] = tuple(map(ip_network, NEAR))
    origins: tuple[str, ...] = ()
    proof_of_work: bool = False
    address_per_day: int = 3
    network_per_hour: int = 30
    all_per_hour: int = 1000
