"""The program as a library: what `validate`, `plan` and `apply PLAN` do, for other programs.

The command line's own parts, without a command line: nothing is printed and nobody is asked, errors are raised, and
events go wherever the caller has structlog send them. Where keys may go, what may be deleted and what refuses a plan is
no different here. To be called where no event loop runs.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.apply.options import ApplyOptions
from reconciler.cli.console import Console
from reconciler.cli.options import RunOptions
from reconciler.cli.saved import options_of, refuse_other, whole_plan
from reconciler.cli.settings import Settings
from reconciler.cli.signals import Runner, Signals
from reconciler.cli.sites import Sites
from reconciler.cli.telling import refusals
from reconciler.desired.fleet import read_fleet
from reconciler.errors import Refused
from reconciler.logs import drop_unless_configured
from reconciler.model.fleet import Fleet
from reconciler.plan.document import PlanDocument
from reconciler.plan.intent import NO_INTENT, Intent
from reconciler.reconcile.applying import apply_all
from reconciler.reconcile.ground import Ground
from reconciler.reconcile.planning import PlanRequest, plan_all, refuse_stale_heads
from reconciler.results import ReportDocument


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is, and what opens it: the options of the command line, of the same names.

    `environment` holds keys and whatever else the command takes from variables: MOMENTO_ENDPOINT, a workflow's event.
    `remote` is where the record is fetched from, and pushed to; None for nowhere.
    """

    endpoint: str | None = None
    region: str | None = None
    api_key_file: str | None = None
    sandbox: bool = False
    remote: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


def load_fleet(folder: str = "manifests") -> Fleet:
    """Every target of a folder of manifests, with all that it declares.

    Raises InvalidManifests with every problem of every file, UsageError where the folder isn't there.
    """
    return read_fleet(folder)


def make_plan(
    folder: str = "manifests",
    *,
    targets: Collection[str] = (),
    intent: Intent = NO_INTENT,
    access: Access | None = None,
) -> PlanDocument:
    """What would change in these targets, or in all of them, and why. Sends one GET a target.

    What kept a target out of it stands in its `errors`; a guard that refuses, in a plan's `violations`. Raises a
    ReconcilerError where nothing at all can be planned.
    """
    options = _options(access, {"manifests": folder, "targets": tuple(targets), **intent.model_dump()})
    request = PlanRequest(options.intent(), fingerprint=True)
    with _opened(options, access) as (ground, runner):
        return runner.run(plan_all(ground, request)).document()


def apply_plan(
    plan: PlanDocument, *, access: Access | None = None, options: ApplyOptions | None = None
) -> ReportDocument:
    """Carry out a plan as it was made; what has moved since then is `stale`, and not touched.

    Each change ends as exactly one thing, told in the report, whose `errors` say what else went wrong. Raises
    DamagedPlan for a plan that isn't whole, StalePlan where manifests, endpoint or HEAD are others, Refused where a
    guard refuses: then nothing was sent.
    """
    saved = whole_plan(plan)
    run = _options(access, options_of(saved))
    request = PlanRequest(run.intent(), fingerprint=True, saved=saved)
    with _opened(run, access) as (ground, runner):
        refuse_stale_heads(ground, request.intent)
        planned = runner.run(plan_all(ground, request))
        if not planned.errors:
            refuse_other(saved, planned.plans)
        if planned.refused:
            raise Refused(refusals(planned.plans))
        applying = apply_all(ground, planned, request, options or ApplyOptions(), runner.clock, runner.stop)
        return runner.run(applying).document(planned.errors)


def _options(access: Access | None, meant: Mapping[str, Any]) -> RunOptions:
    given = access or Access()
    return RunOptions(
        **meant,
        endpoint=given.endpoint,
        region=given.region,
        api_key_file=given.api_key_file,
        sandbox=given.sandbox,
        remote=given.remote,
    )


@contextmanager
def _opened(options: RunOptions, access: Access | None) -> Iterator[tuple[Ground, Runner]]:
    """What a round stands on, with a console that nobody sits at."""
    drop_unless_configured()
    environment = (access or Access()).environment
    console = Console(None, None, None, environment, Signals(), Settings(quiet=True, no_github=True))
    with Runner(console.signals) as runner, Sites(options, console, runner).opened() as sites:
        yield sites(), runner
