"""An interface with a few readers and a mailing, mounted as the application mounts it, and a token that may do all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from mailer import tokens
from mailer.database import writing
from mailer.tokens import Scope
from mailer.web import api
from mailer.web.guards import Guards
from mailer.web.problems import refuse
from tests.web.hooks.standing import Clock, Web, ground_on

if TYPE_CHECKING:
    from pathlib import Path

    from httpx import Response
    from sqlalchemy import Engine

    from mailer.delivery.ground import Ground

TOML = '[lists.main]\n[lists.weekly]\nname = "The Weekly"\n'


@dataclass
class Office:
    """Where programs ask."""

    ground: Ground
    clock: Clock
    web: Web
    token: str

    def ask(self, method: str, path: str, json: Any = None, **more: Any) -> Response:
        headers = {"Authorization": f"Bearer {more.pop('token', self.token)}", **more.pop("headers", {})}
        given = {"json": json} if json is not None else {}
        return self.web.request(method, f"/api/v1{path}", headers=headers, **given, **more)

    def get(self, path: str, **more: Any) -> Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any, **more: Any) -> Response:
        return self.ask("POST", path, json, **more)

    def new_token(self, name: str, *scopes: Scope, **more: Any) -> str:
        with writing(self.ground.database) as connection:
            text, _ = tokens.new(connection, name, scopes, self.clock(), **more)
        return text

    def add(self, email: str, list_key: str = "main", **more: Any) -> dict[str, Any]:
        answer = self.post("/subscribers", {"email": email, "list": list_key, "basis": "test", **more})
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found


def mounted(ground: Ground) -> FastAPI:
    """Mount it as the application does."""
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    outer.mount("/api/v1", api.app(ground))
    refuse(outer)
    outer.add_middleware(Guards)
    return outer


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    clock = Clock()
    ground = ground_on(engine, tmp_path / "newsletter", TOML, clock)
    made = Office(ground, clock, Web(mounted(ground)), "")
    made.token = made.new_token("all", *Scope)
    return made
