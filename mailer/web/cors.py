"""Whose scripts may read our answers: those of sites that `[web] origins` names (the Fetch standard, CORS). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def cors_headers(origin: str, origins: Sequence[str]) -> dict[str, str]:
    """Give the headers that let pages of this origin read our answer; none for others."""
    if origin.lower() not in origins:
        return {"Vary": "Origin"}
    cross = {"Cross-Origin-Resource-Policy": "cross-origin"}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **cross}
