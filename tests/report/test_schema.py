"""Plans and reports are written as their schemas say."""

import json

from hypothesis import given

from reconciler.plan.document import dump_plans
from reconciler.report.look import PLAIN
from reconciler.report.render import render_plans, render_reports
from tests.plan.worlds import World, worlds
from tests.report import everything
from tests.schemas import wrong


def test_everything_that_is_shown_is_as_published() -> None:
    """Each sort of change, result and error, and what plans and reports lack where something couldn't be made."""
    plans = [everything.a_plan(), everything.explained(), everything.many(3), everything.in_sync()]
    plans += [everything.no_git(everything.a_plan()), everything.one_change(), everything.readme_only()]
    errors = everything.the_problems()
    for document in (
        everything.document(*plans, errors=errors, left_behind=everything.left_behind()),
        everything.document(errors=errors),
    ):
        assert wrong("plan", json.loads(render_plans(document, "json", PLAIN))) == []
    reported = everything.reported(everything.a_report(), everything.idle_report(), errors=errors)
    assert wrong("report", json.loads(render_reports(reported, "json", PLAIN))) == []


@given(worlds())
def test_any_plan_is_as_published(world: World) -> None:
    """Whatever was declared, live and recorded."""
    assert wrong("plan", json.loads(json.dumps(dump_plans([world.plan])))) == []


def test_another_shape_is_refused() -> None:
    """So that passing means something: a key more, a key less, a word that isn't there."""
    document = dump_plans([everything.a_plan()])
    (plan,) = document["targets"]
    assert wrong("plan", {**document, "more": 1})
    assert wrong("plan", {**document, "format_version": 2})
    assert wrong("plan", {**document, "targets": [{key: plan[key] for key in plan if key != "digest"}]})
    assert wrong("plan", {**document, "targets": [{**plan, "changes": [{**plan["changes"][0], "cause": "chance"}]}]})
