"""What a pull request shows; whole pages of it stand in `golden/`."""

import re

import pytest

from reconciler.plan.change import Source
from reconciler.report.inline import Links
from reconciler.report.look import Look
from reconciler.report.markdown import plans_markdown, problems_markdown, reports_markdown
from reconciler.report.words import EVERY_WORD
from reconciler.results import Result
from tests.report.everything import (
    BASE,
    HEAD,
    a_plan,
    a_report,
    delete,
    document,
    explained,
    field,
    in_sync,
    left_behind,
    many,
    one_change,
    planned,
    reported,
    the_problems,
    update,
)

LINKS = Links("https://git.example.com/", "acme/fleet", "abc123")
LINKED = Look(links=LINKS)

PROBLEMS = """\
- **error** `manifests/orders.yaml:4:14` cluster `orders`: `shard_count must be a whole number`
  <br>→ `write 3 without quotes`
- **error** `manifests/new.yaml:2`: `this is not YAML`
- **error** `eu-west-1`: `GET /cluster: no connection`
- **error** `eu-west-1` cluster `broken`: `it is CreationFailed`
- **error**: `nothing matches`
  <br>→ `see reconciler plan --help`
"""


def test_deletes_then_refusals_stand_above_everything() -> None:
    """Whatever their cause, of all targets, before any error or change of any; only the counts are above them."""
    page = plans_markdown(document(a_plan(), explained(), in_sync(), errors=the_problems()))
    order = ["### 5 errors · refused · 3 targets", "[!CAUTION]", "> - `stray`", "[!WARNING]", "**error**", "#### "]
    assert sorted(order, key=page.index) == order
    assert page.count("[!CAUTION]") == page.count("[!WARNING]") == 1
    report = reports_markdown(reported(a_report(), errors=the_problems()))
    assert report.index("**1 cluster deleted, 1 perhaps**") < report.index("**error**") < report.index("**Failed (1)**")


def test_what_was_not_read_is_said_first() -> None:
    """Live of one target, the record of another: before any count."""
    blind = in_sync().model_copy(update={"live_read": False})
    lost = in_sync("us").model_copy(update={"record": None})
    page = plans_markdown(document(blind, lost))
    assert page.startswith("> [!IMPORTANT]\n> The live clusters of `eu-west-1` were not read: ")
    assert page.index("**No record** of what was applied is here for `us`") < page.index("### sandbox · 2 targets")


def test_every_page_names_head_and_run_and_ends_in_the_next_step() -> None:
    """Also one that only failed; where there is nothing to do, nothing is asked; without a forge only what is known."""
    look = Look(links=LINKS, run="https://git.example.com/acme/fleet/actions/runs/7")
    run = "[run](https://git.example.com/acme/fleet/actions/runs/7)"
    for page, head in (
        (plans_markdown(document(one_change()), look), HEAD),
        (plans_markdown(document(errors=the_problems()), look), "abc123"),
        (reports_markdown(reported(a_report()), look), HEAD),
        (reports_markdown(reported(errors=the_problems()), look), "abc123"),
    ):
        footer = f"<sub>head [`{head[:10]}`](https://git.example.com/acme/fleet/commit/{head}) · {run}"
        assert page.splitlines()[-1].startswith(footer)
        assert re.search(r"\n\*\*Next\*\*\n\n(- .+\n)+\n<sub>head", page)
    assert "Next" not in plans_markdown(document(in_sync()), look)
    assert plans_markdown(document(errors=the_problems())).endswith("then run this again\n")
    assert plans_markdown(document()) == reports_markdown(reported()) == problems_markdown(()) == ""


def test_each_strange_word_leads_into_the_documents() -> None:
    """Where they are known; else it stands bare."""
    whole = document(explained(), left_behind=left_behind())
    page = plans_markdown(whole, Look(docs="https://docs.example.com/r"))
    linked = set(re.findall(r"\]\(https://docs\.example\.com/r/([^)]+)\)", page))
    assert linked <= {word.anchor for word in EVERY_WORD}
    assert {anchor.partition("#")[2] for anchor in linked} >= {
        "revision", "conflict", "adoption", "pending", "drift", "retry", "left", "deletes", "guards", "kept", "settling", "left-behind", "ownership", "taken-over", "unhealthy",
    }  # fmt: skip
    assert "](" not in plans_markdown(whole)


def test_equal_changes_are_one_block_that_opens_to_its_clusters() -> None:
    """Five hundred stay a page that a person reads."""
    fields = [field("node_instance_type", "m6g.large", "r6g.large", "revision")]
    plan = planned(*(update(f"c-{number:03}", *fields, cause="revision") for number in range(500)))
    page = plans_markdown(document(plan), LINKED)
    assert page.count("<details") == 1
    assert "<b>update 500 clusters</b>" in page
    assert len(re.findall(r"^- `c-\d+`$", page, re.MULTILINE)) == 500
    assert len(plans_markdown(document(many(500)), LINKED)) < 25_000


@pytest.mark.parametrize(
    ("file", "url"),
    [
        ("manifests/a b.yaml", "blob/abc123/manifests/a%20b.yaml#L1"),
        ("./manifests/(é)#?.yaml", "blob/abc123/manifests/%28%C3%A9%29%23%3F.yaml#L1"),
        ("a:b@c%20.yaml", "blob/abc123/a%3Ab%40c%2520.yaml#L1"),
        ("/etc/fleet.yaml", None),
        ("../fleet.yaml", None),
        ("manifests/../../../other/fleet.yaml", None),
        ("x" * 1001, None),
    ],
)
def test_a_manifest_is_linked_where_it_stands(file: str, url: str | None) -> None:
    """At the commit that was read, percent-encoded; never outside of this repository."""
    whole = f"https://git.example.com/acme/fleet/{url}" if url else None
    assert LINKS.manifest_url(file, 1) == whole


def test_what_is_linked_exists() -> None:
    """A deleted manifest at the commit that still has it, or only what removed it; none of an uncommitted tree."""
    page = plans_markdown(document(explained()), LINKED)
    assert (
        f"`gone` · **data-loss** · removed by this change · last at [`manifests/gone.yaml:7`]"
        f"(https://git.example.com/acme/fleet/blob/{BASE}/manifests/gone.yaml#L7)\n"
    ) in page
    assert '<a href="https://git.example.com/acme/fleet/blob/abc123/manifests/late.yaml#L1">' in page
    limit = "[`manifests/fleet.yaml:12`](https://git.example.com/acme/fleet/blob/abc123/manifests/fleet.yaml#L12)"
    assert f"refused by max-deletes** at {limit}: ``2 clusters would be deleted" in page
    assert f"base [`{BASE[:10]}`](https://git.example.com/acme/fleet/commit/{BASE})" in page
    assert "<a href" not in plans_markdown(document(explained().model_copy(update={"dirty": True})), LINKED)
    removed = delete("gone", Source(file="manifests/gone.yaml", line=7, commit="4ca6a63"))
    assert (
        "removed in [`4ca6a63`](https://git.example.com/acme/fleet/commit/4ca6a63) · last at `manifests/gone.yaml:7`\n"
    ) in plans_markdown(document(planned(removed)), LINKED)
    assert problems_markdown(the_problems()[1:2], LINKED) == (
        "- **error** [`manifests/new.yaml:2`](https://git.example.com/acme/fleet/blob/abc123/manifests/new.yaml#L2): "
        "`this is not YAML`\n"
    )


def test_what_went_well_is_closed_where_it_is_much() -> None:
    """Equal ones are one; of several targets each names its own."""
    applied = [
        Result(action="create", name=f"a-{n:02}", outcome="applied", fields=(field("shard_count", None, n),))
        for n in range(1, 13)
    ]
    done = a_report().model_copy(update={"results": tuple(applied)})
    page = reports_markdown(reported(done, a_report().model_copy(update={"target": "eu", "results": ()})))
    assert "<details><summary>Applied (12)</summary>\n\n- **create `a-01`** in `us-east-1`\n" in page
    equal = done.model_copy(update={"results": tuple(one.model_copy(update={"fields": ()}) for one in applied)})
    assert "**Applied (12)**\n\n- **create 12 clusters**<br>`a-01`, `a-02`, " in reports_markdown(reported(equal))


def test_problems_are_a_list() -> None:
    """Where, which cluster, what; the remedy below."""
    assert problems_markdown(the_problems()) == PROBLEMS
