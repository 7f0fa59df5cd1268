"""The sandbox held against its own OpenAPI description, by requests that fit it and requests that don't."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import CheckContext
from schemathesis.core.result import Ok

from reconciler.clock import SystemClock
from reconciler.sandbox.model import ClusterBody, contradictions
from reconciler.sandbox.openapi import description
from reconciler.sandbox.server import in_thread
from reconciler.sandbox.store import Store
from reconciler.sandbox.switches import FAITHFUL

# A schema can't say all that makes sense, so what fits it may be refused; `refuses_only_nonsense` looks closer.
ACCEPTED = [200, 204, 400, 404, 409]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A sandbox whose clusters settle at once."""
    clock = SystemClock()
    with (
        closing(Store(str(tmp_path / "s.db"), clock=clock, settle_seconds=0.0)) as store,
        in_thread(store, clock) as url,
    ):
        yield url


def refuses_only_nonsense(_context: CheckContext, response: Response, case: Case[Any]) -> None:
    """A body that fits the description is refused only where it contradicts itself, or writes 3 as 3.0."""
    if response.status_code == 400 and case.meta is not None and case.meta.generation.mode.is_positive:
        assert _is_nonsense(case.body), response.text


def _is_nonsense(body: object) -> bool:
    try:
        return any(contradictions(ClusterBody.model_validate(body)))
    except ValidationError as error:
        return all(isinstance(wrong["input"], float) for wrong in error.errors())


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_it_does_as_it_is_described(url: str, mode: GenerationMode) -> None:
    """Each operation passes every check of schemathesis, with data that fits and with data that doesn't."""
    checks = {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}
    config = schemathesis.Config.from_dict({"headers": {"Authorization": "sandbox-admin"}, "checks": checks})
    api = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    wrong_or_right = api if mode.is_positive else api.exclude(method="GET")  # it takes nothing that could be wrong
    for operation in wrong_or_right.get_all_operations():
        assert isinstance(operation, Ok)

        @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(case=operation.ok().as_strategy(mode))
        def passes(case: Case[Any]) -> None:
            case.call_and_validate(additional_checks=[refuses_only_nonsense])

        passes()


@pytest.mark.slow
def test_it_does_as_it_is_described_at_length(url: str, tmp_path: Path) -> None:
    """The tool itself: every value at its bounds, a thousand requests an operation, sequences that build on each other."""
    (tmp_path / "schemathesis.toml").write_text(f"[checks.positive_data_acceptance]\nexpected-statuses = {ACCEPTED}\n")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"]
    options = ["--header", "Authorization: sandbox-admin", "--mode", "all", "--checks", "all", "--max-examples", "1000"]
    result = subprocess.run(
        [*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_it_describes_the_documents_routes() -> None:
    """The three operations, and no other; an `Authorization` header for all."""
    described = description(FAITHFUL)
    assert [
        (method, path) for path, item in described["paths"].items() for method in item if method != "parameters"
    ] == [
        ("get", "/cluster"),
        ("put", "/cluster/{clusterName}"),
        ("delete", "/cluster/{clusterName}"),
    ]
    assert described["components"]["securitySchemes"]["apiKey"]["name"] == "Authorization"
