"""The promised names, and that they do what their page says."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import reconciler
from tests.acceptance.conftest import ORDERS
from tests.cli.test_docs import DOCS, fenced
from tests.cli.test_imports import HEAVY

PROMISED = [
    "Access",
    "ApplyOptions",
    "Create",
    "Declaration",
    "Delete",
    "FieldChange",
    "Fleet",
    "Intent",
    "InvalidManifests",
    "Plan",
    "PlanDocument",
    "Problem",
    "ReconcilerError",
    "Refused",
    "ReportDocument",
    "Result",
    "StalePlan",
    "Target",
    "TargetReport",
    "Update",
    "__version__",
    "apply_plan",
    "load_fleet",
    "make_plan",
]


def test_the_names_are_those_that_are_promised() -> None:
    """A name more, or less, is a decision: here, on the page, to type checkers, and to `dir`."""
    assert sorted(vars(reconciler)["__all__"]) == PROMISED
    assert set(PROMISED) <= set(dir(reconciler))
    assert all(getattr(reconciler, name) is not None for name in PROMISED)
    stub = ast.parse(Path(reconciler.__file__).with_suffix(".pyi").read_text())
    typed = [one.names[0].asname for one in stub.body if isinstance(one, ast.ImportFrom)]
    assert sorted([*map(str, typed), "__version__"]) == PROMISED
    assert set(PROMISED) <= set(re.findall(r"`(\w+)[(`]", DOCS["python.md"]))
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = reconciler.no_such_name  # type: ignore[attr-defined]  # that is what is tested


def test_importing_costs_nothing() -> None:
    """Neither the package, nor a name that needs little."""
    code = (
        "import sys, reconciler\n"
        f"heavy = lambda: sorted({HEAVY!r} & set(sys.modules))\n"
        "assert reconciler.__version__ and not heavy(), heavy()\n"
        "reconciler.ReconcilerError\n"
        "assert not heavy(), heavy()\n"
        "reconciler.Fleet\n"
        "assert heavy() == ['pydantic'], heavy()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_example_does_what_the_page_says(tmp_path: Path) -> None:
    """Word for word, in an empty folder."""
    (example,) = fenced(DOCS["python.md"], "python")
    (printed,) = fenced(DOCS["python.md"], "text")
    ended = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.stderr, ended.stdout) == ("", printed)


class TestOnASandbox:
    """The guards and refusals of the command, raised."""

    access = reconciler.Access(sandbox=True, environment={})

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A folder that declares `orders`; the sandbox is kept beside it."""
        monkeypatch.chdir(tmp_path)
        Path("manifests").mkdir()
        Path("manifests/orders.yaml").write_text(ORDERS)
        yield
        structlog.reset_defaults()

    @pytest.mark.slow
    def test_what_is_applied_is_in_sync(self) -> None:
        """The second plan is empty."""
        plan = reconciler.make_plan(access=self.access)
        assert [(change.action, change.name) for change in plan.targets[0].changes] == [("create", "orders")]
        report = reconciler.apply_plan(plan, access=self.access)
        assert [(result.name, result.outcome) for result in report.targets[0].results] == [("orders", "applied")]
        assert reconciler.make_plan(access=self.access).targets[0].changes == ()

    def test_a_plan_of_other_manifests_is_stale(self) -> None:
        """Nothing is sent."""
        plan = reconciler.make_plan(access=self.access)
        Path("manifests/orders.yaml").write_text(ORDERS.replace("shard_count: 2", "shard_count: 3"))
        with pytest.raises(reconciler.StalePlan, match="the manifests are not the plan's"):
            reconciler.apply_plan(plan, access=self.access)

    @pytest.mark.slow
    def test_a_guard_refuses(self) -> None:
        """As exit 3 does, with each violation."""
        reconciler.apply_plan(reconciler.make_plan(access=self.access), access=self.access)
        Path("manifests/orders.yaml").write_text(ORDERS.replace("shard_count: 2", "shard_count: 3"))
        plan = reconciler.make_plan(access=self.access)
        with pytest.raises(reconciler.Refused, match="refused by adopt") as caught:
            reconciler.apply_plan(plan, access=self.access)
        assert (caught.value.exit_code, [problem.kind for problem in caught.value.problems()]) == (3, ["guard"])

    def test_what_is_wrong_is_raised_or_told(self) -> None:
        """Raised where nothing can be planned; told where one target lacks its key."""
        with pytest.raises(reconciler.ReconcilerError, match="no API key: MOMENTO_API_KEY is not set"):
            reconciler.make_plan(access=reconciler.Access(region="us-east-1", environment={}))
        Path("manifests/orders.yaml").write_text("name: orders\n")
        with pytest.raises(reconciler.InvalidManifests) as caught:
            reconciler.load_fleet()
        assert len(caught.value.problems()) == 4
