"""What GitHub shows beside the lines of a pull request."""

from reconciler.errors import Problem
from reconciler.report.annotations import annotations
from tests.fakes import manifest
from tests.report.everything import a_plan, as_it_is, create, delete, explained, in_sync, the_problems

ALL = """\
::error file=manifests/orders.yaml,line=4,col=14,title=cluster orders::shard_count must be a whole number → write 3 without quotes
::error file=manifests/new.yaml,line=2,title=manifest::this is no YAML
::warning file=manifests/gone.yaml,line=7,title=gone would be deleted::data-loss: it is live, and no manifest declares it, removed in 4ca6a63
::warning title=stray would be deleted::data-loss: it is live, and no manifest declares it
::warning file=manifests/gone.yaml,line=7,title=gone would be deleted::data-loss: it is live, and no manifest declares it
::warning file=manifests/contested.yaml,line=3,title=update contested%3A would overwrite what nobody reviewed::shard_count: 5 → 3
::notice file=manifests/orders.yaml,line=4,title=update orders%3A changed behind git's back::shard_count: 4 → 2
::notice file=manifests/wandered.yaml,line=3,title=update wandered%3A changed behind git's back::shard_count: 9 → 2
"""


def test_each_kind_stands_at_its_line() -> None:
    """Errors that have a place; deletes where they last stood; conflicts and drift at the field that differs."""
    assert annotations([a_plan(), explained()], the_problems()) == ALL
    assert annotations([in_sync()]) == ""


def test_a_cluster_that_vanished_is_drift() -> None:
    """Its create stands where it is declared."""
    vanished = create(as_it_is, "new", manifest().configuration()).model_copy(update={"cause": "drift"})
    assert annotations([in_sync().model_copy(update={"changes": (vanished,)})]) == (
        "::notice file=manifests/new.yaml,line=1,title=create new%3A changed behind git's back::it is gone\n"
    )


def test_a_step_has_ten_of_a_kind() -> None:
    """GitHub would drop the others without a word: nine, and how many more."""

    def lines(count: int) -> list[str]:
        deletes = tuple(delete(as_it_is, f"c-{number:02}", None) for number in range(count))
        problems = [Problem("manifest", "x", file="a.yaml", line=1)] * count
        return annotations([in_sync().model_copy(update={"changes": deletes})], problems).splitlines()

    assert len(lines(10)) == 20
    assert len(lines(11)) == 20
    assert lines(23)[9::10] == [
        "::error title=14 more::the job summary has them all",
        "::warning title=14 more::the job summary has them all",
    ]


def test_no_text_ends_a_command() -> None:
    """Percent signs everywhere; colons and commas in properties; what is unseen is spelled out."""
    problem = Problem("manifest", "100%\n::warning::x, y: z", file="a:b,c%.yaml", line=1, cluster="x\r\n::error::y")
    assert annotations([], [problem]) == (
        '::error file=a%3Ab%2Cc%25.yaml,line=1,title=cluster "x\\r\\n%3A%3Aerror%3A%3Ay"::100%25\\n::warning::x, y: z\n'
    )
