"""Acting once: what a request changes, and what it was answered under an idempotency key, are one transaction.

Two requests under one key at the same moment: the second waits for the first and gets its answer. The same key with
another request is refused; what failed is not remembered, so it may be tried again. Kept for a day.
(draft-ietf-httpapi-idempotency-key-header)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailer.database import writing
from mailer.tokens import REMEMBERED, Scope, answers
from mailer.web.api.callers import Caller, caller
from mailer.web.problems import ProblemError
from subscribers import ensure_lists

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mailer.delivery.ground import Ground

_IN_WORK = 0  # the status of an answer that is being made, seen by its own transaction alone
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="A name of your own for this request: sent again under it within a day, it acts once.",
    ),
]


@dataclass(frozen=True, slots=True)
class Desk:
    """One request that changes something: who asks, and under which key."""

    caller: Caller
    key: str | None
    digest: bytes

    @property
    def ground(self) -> Ground:
        """What the request acts on."""
        return self.caller.ground

    def do(self, work: Callable[[Connection], tuple[int, BaseModel]]) -> JSONResponse:
        """Act in one transaction, once; give the answer, now or as it was then."""
        with writing(self.ground.database) as connection:
            known = self._recalled(connection)
            if known is not None:
                return known
            _know_lists(connection, self.caller)
            status, value = work(connection)
            content = jsonable_encoder(value)
            self._remember(connection, status, content)
        return JSONResponse(content, status)

    def do_beside(self, work: Callable[[], tuple[int, BaseModel]]) -> JSONResponse:
        """Act by a verb that has transactions of its own and may be repeated; then remember the answer."""
        with writing(self.ground.database) as connection:
            known = self._recalled(connection)
            if known is not None:
                return known
            self._forget(connection)  # what is in work is not seen by others: the verb may be repeated
        status, value = work()
        content = jsonable_encoder(value)
        with writing(self.ground.database) as connection:
            if self._recalled(connection) is None:
                self._remember(connection, status, content)
        return JSONResponse(content, status)

    def _recalled(self, connection: Connection) -> JSONResponse | None:
        """Take the key, or give what was answered under it; waits for whoever has it just now."""
        if self.key is None:
            return None
        now, mine = self.caller.now(), self._mine()
        connection.execute(delete(answers).where(*mine, answers.c.at < now - REMEMBERED))
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        row = {"token_id": self.caller.token.id, "key": self.key, "digest": self.digest, "at": now}
        taken = make(answers).values(**row, status=_IN_WORK, body="").on_conflict_do_nothing()
        if connection.execute(taken.returning(answers.c.key)).first() is not None:
            return None
        known = connection.execute(select(answers).where(*mine)).one()
        if known.digest != self.digest:
            said = "the key was used for another request"
            raise ProblemError(422, detail=said, code="key-reused")
        return JSONResponse(json.loads(known.body), known.status, {"Idempotency-Replayed": "true"})

    def _remember(self, connection: Connection, status: int, content: Any) -> None:
        if self.key is not None:
            body = json.dumps(content, ensure_ascii=False)
            connection.execute(update(answers).where(*self._mine()).values(status=status, body=body))

    def _forget(self, connection: Connection) -> None:
        if self.key is not None:
            connection.execute(delete(answers).where(*self._mine()))

    def _mine(self) -> tuple[Any, Any]:
        return answers.c.token_id == self.caller.token.id, answers.c.key == (self.key or "")


def _know_lists(connection: Connection, who: Caller) -> None:
    lists = who.ground.settings.lists
    brands = {key: one.brand or "" for key, one in lists.items()}
    ensure_lists(connection, lists, who.now(), brands=brands)


def desk(scope: Scope) -> Callable[..., Any]:
    """Give a dependency that lets in whoever may change something, and knows the request by its key."""
    allowed = caller(scope)

    # In the old way: the annotation would be a text that names a variable of this function.
    async def depends(request: Request, who: Caller = Depends(allowed), key: Key = None) -> Desk:  # noqa: B008
        parts = (request.method.encode(), request.url.path.encode(), await request.body())
        joined = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return Desk(who, key, hashlib.sha256(joined).digest())

    return depends
