"""Who asks: the bearer token, its scopes, and how much it may ask.

Promises: an unknown, revoked or expired token is told the same; a missing scope is named; the last use is written down
to the minute. The allowance is counted in this process alone: several serve several times as much.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from mailer import tokens
from mailer.database import reading, writing
from mailer.errors import TryLater
from mailer.tokens import Scope, Token
from mailer.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mailer.delivery.ground import Ground

_BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="token", description="A token of `mailer tokens new`: `mlr_…`"
)
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and on which ground."""

    ground: Ground
    token: Token

    @property
    def name(self) -> str:
        """How events and consents name the caller."""
        return f"api:{self.token.name}"

    def now(self) -> datetime:
        """Give the moment at which the request acts."""
        return self.ground.clock()


def caller(scope: Scope) -> Callable[..., Caller]:
    """Give a dependency that lets in whoever has a scope."""

    def depends(
        request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
    ) -> Caller:
        ground: Ground = request.app.state.ground
        _require_known(request)
        token = _known(ground, bearer.credentials if bearer else "")
        request.app.state.allowances.spend(token.id, ground.settings.api.per_minute)
        if scope not in token.scopes:
            header = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
            raise ProblemError(
                403, detail=f"the token has no scope {scope}", headers=header, code="missing-scope"
            )
        return Caller(ground, token)

    return depends


def _require_known(request: Request) -> None:
    """Refuse a parameter that the route does not have: `?stat=paused` would list everybody."""
    path = request.app.openapi()["paths"].get(getattr(request.scope.get("route"), "path", ""), {})
    told = path.get(request.method.lower(), {}).get("parameters", [])
    known = {one["name"] for one in told if one["in"] == "query"}
    unknown = set(request.query_params) - known
    if unknown:
        said = f"the parameters are: {', '.join(sorted(known)) or 'none'}"
        raise ProblemError(422, detail=f"there is no such parameter; {said}", code="unknown-parameter")


def _known(ground: Ground, text: str) -> Token:
    if not text:
        raise _stranger("a token is missing: Authorization: Bearer mlr_…", "no-token", "Bearer")
    now = ground.clock()
    with reading(ground.database) as connection:
        token = tokens.known(connection, text, now)
    if token is None:
        said = "the token is unknown, revoked or expired"
        raise _stranger(said, "bad-token", 'Bearer error="invalid_token"')
    if tokens.is_worn(token, now):
        with contextlib.suppress(TryLater), writing(ground.database) as connection:
            tokens.touch(connection, token, now)
    return token


def _stranger(detail: str, code: str, challenge: str) -> ProblemError:
    return ProblemError(401, detail=detail, headers={"WWW-Authenticate": challenge}, code=code)


class Allowances:
    """How much each token has left: a bucket that fills by the second and holds a minute's worth."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def spend(self, who: int, per_minute: int) -> None:
        """Take one; raises ProblemError (429) if nothing is left."""
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(who, (float(per_minute), now))
            left = min(per_minute, left + (now - at) * per_minute / 60)
            self._left[who] = (max(left - 1, 0) if left >= 1 else left, now)
            while len(self._left) > _MOST:
                self._left.popitem(last=False)
        if left < 1:
            wait = math.ceil((1 - left) * 60 / per_minute)
            said = f"this token may ask {per_minute} times a minute"
            raise ProblemError(429, detail=said, headers={"Retry-After": str(wait)}, code="too-many")
