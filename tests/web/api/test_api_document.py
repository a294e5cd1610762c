"""The OpenAPI document against the interface: schemathesis asks what it allows and what it does not."""

from __future__ import annotations

import os
import shutil
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from mailer import tokens
from mailer.database import open_engine, writing
from mailer.tokens import Scope
from mailer.web.application import create_app
from tests.web.api.conftest import TOML
from tests.web.hooks.standing import Clock, ground_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = int(os.environ.get("MAILER_SCHEMATHESIS_EXAMPLES", "10"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[tuple[str, str]]:
    """The interface on a real server, with readers and a mailing, and a token that may do all."""
    import uvicorn

    folder = tmp_path_factory.mktemp("served")
    shutil.copy(migrated_sqlite, folder / "test.db")
    engine = open_engine(f"sqlite:///{folder / 'test.db'}")
    ground = ground_on(engine, folder / "newsletter", TOML + "[api]\nper_minute = 1000000\n", Clock())
    with writing(engine) as connection:
        token, _ = tokens.new(connection, "all", Scope, ground.clock())
        _fill(connection, ground)
    server = uvicorn.Server(uvicorn.Config(create_app(ground), port=0, log_level="critical", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/api/v1", token
    server.should_exit = True
    thread.join(15)
    engine.dispose()


def _fill(connection: Any, ground: Any) -> None:
    from mailer.delivery import mailing
    from subscribers import add
    from tests.delivery.conftest import edition

    now, key = ground.clock(), ground.keys.suppression
    for number in range(5):
        email = f"p{number}@reader.example"
        add(connection, email=email, list_key="main", now=now, hash_key=key, basis="t")
    opened = mailing.open_mailing(connection, edition(), "main", now)
    mailing.freeze(connection, opened.id, edition(), None, now, committed=True)


@pytest.mark.slow
def test_no_answer_is_undocumented_and_none_is_a_5xx(served: tuple[str, str]):
    """Every operation, with values that the document allows and values that it forbids: each answer is one of it.

    MAILER_SCHEMATHESIS_EXAMPLES=500 asks for longer.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries below schemathesis
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis import strategies as st
        from schemathesis import GenerationMode, checks, openapi

        base, token = served
        schema = openapi.from_url(f"{base}/openapi.json")
        headers = {"Authorization": f"Bearer {token}"}
        asked = 0
        for result in schema.get_all_operations():
            operation = result.ok()
            for mode in GenerationMode:
                strategy = operation.as_strategy(generation_mode=mode)
                asked += _ask_often(strategy, headers, checks, given, settings, st, HealthCheck, Phase)
    assert asked > 20 * EXAMPLES


def _ask_often(
    strategy: Any, headers: Any, checks: Any, given: Any, settings: Any, st: Any, *rest: Any
) -> int:
    health, phase = rest
    asked = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(health),
        phases=[phase.explicit, phase.generate],
    )
    @given(st.data())
    def ask(data: Any) -> None:
        nonlocal asked
        case = data.draw(strategy)
        response = case.call(headers=headers)
        asked += 1
        case.validate_response(
            response,
            checks=[
                checks.not_a_server_error,
                *(
                    each
                    for each in checks.CHECKS.get_all()
                    if each.__name__
                    in {
                        "status_code_conformance",
                        "content_type_conformance",
                        "response_schema_conformance",
                        "response_headers_conformance",
                        "unsupported_method",
                    }
                ),
            ],
        )

    ask()
    return asked
