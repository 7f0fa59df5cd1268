"""What a plan costs is told where the fleet file has prices, exactly; and what keeps it from being known."""

from reconciler.plan.plan import Cost, Plan
from reconciler.report.counts import cost, size, standing
from reconciler.report.look import PLAIN
from reconciler.report.render import render_plans
from tests.report.everything import document, planned

HOSTILE = "x](http://example.com) `@octocat`\n::error::"


def priced(before: float | None, after: float | None, *unpriced: str) -> Plan:
    """A plan with this cost."""
    return planned(cost=Cost(before=before, after=after, unpriced=unpriced))


def test_a_cost_is_exact_and_of_all_targets_that_have_prices() -> None:
    """Unknown on the side where one is missing; nothing where there are none at all."""
    assert cost([]) == cost([planned()]) == ""
    assert cost([priced(12.48, 13.2)]) == "cost an hour 12.48 → 13.20 (+0.72)"
    assert cost([priced(0.3, 0.1)]) == "cost an hour 0.30 → 0.10 (-0.20)"
    assert cost([priced(1, 1)]) == "cost an hour 1.00"
    assert cost([priced(0.1, 0.1), priced(0.2, 0.4125)]) == "cost an hour 0.30 → 0.5125 (+0.2125)"
    assert cost([priced(0.1, 0.2), planned()]) == "cost an hour of 1 of 2 targets 0.10 → 0.20 (+0.10)"
    assert cost([priced(0.1, None), priced(1, 1)]) == "cost an hour 1.10 → unknown"
    assert cost([priced(None, None)]) == "cost an hour unknown"
    assert size([priced(1, 2)]) == "nodes 48, cost an hour 1.00 → 2.00 (+1.00)"
    assert standing([priced(1, 2)]) == f"11 as declared, {size([priced(1, 2)])}"


def test_what_has_no_price_is_named_and_steers_nothing() -> None:
    """The service says what a live cluster's type is."""
    plans = document(priced(None, 1, "m7g.large", HOSTILE))
    text, markdown = (render_plans(plans, name, PLAIN).splitlines() for name in ("text", "markdown"))
    told = '  no price: m7g.large, "x](http://example.com) `@octocat`\\n::error::"; '
    assert f"{told}to know the cost, add it to prices in the fleet file" in text
    told = "- **no price**: `m7g.large`, ``x](http://example.com) `@octocat`\\n::error::``; "
    assert f"{told}to know the cost, add it to `prices` in the fleet file" in markdown
