"""What GitHub shows beside the lines of a pull request."""

from reconciler.plan.plan import Violation
from reconciler.problem import Problem
from reconciler.report.annotations import annotations
from tests.report.everything import (
    a_plan,
    create,
    delete,
    document,
    explained,
    field,
    in_sync,
    planned,
    the_problems,
    update,
)

ALL = """\
::error file=manifests/orders.yaml,line=4,col=14,title=cluster orders::shard_count must be a whole number → write 3 without quotes
::error file=manifests/new.yaml,line=2,title=manifest::this is not YAML
::error file=manifests/fleet.yaml,line=12,title=refused by max-deletes::2 clusters would be deleted; the limit is 0 (max_deletes at manifests/fleet.yaml:12): allow it for one run with --allow max-deletes, or `allow: max-deletes` in the workflow; permanently: raise guards.max_deletes in a change of its own, and apply that
::warning file=manifests/gone.yaml,line=7,title=gone would be deleted::data-loss, removed by this change
::warning file=manifests/old-name.yaml,line=1,title=old-name would be deleted::data-loss, renamed to new-name: a new, empty cluster; data doesn't come along, removed by this change
::warning file=manifests/gone.yaml,line=7,title=gone would be deleted::data-loss, removed in 4ca6a63
::warning title=stray would be deleted::data-loss
::warning file=manifests/contested.yaml,line=3,title=update contested%3A would overwrite what nobody reviewed::shard_count: 5 → 3  (conflict: last applied 2, changed by hand to 5)
::notice file=manifests/orders.yaml,line=4,title=update orders%3A changed outside git::shard_count: 4 → 2  (declared 2, changed by hand to 4)
::notice file=manifests/loose.yaml,line=3,title=update loose%3A changed outside git::shard_count: declared 4, now 9, left as it is: on_drift is report
::notice file=manifests/vanished.yaml,line=2,title=create vanished%3A changed outside git::declared, and deleted by hand
::notice file=manifests/wandered.yaml,line=3,title=update wandered%3A changed outside git::shard_count: 9 → 2  (declared 2, changed by hand to 9)
"""


def test_each_kind_stands_at_its_line() -> None:
    """Errors and limits that have a place; deletes where they last stood; conflicts and drift; this change's first."""
    assert annotations(document(a_plan(), explained(), errors=the_problems())) == ALL
    assert annotations(document(in_sync())) == ""


def test_a_default_is_annotated_where_it_stands() -> None:
    """In the fleet file, not in the manifest."""
    at = field("enforce_shard_multi_az", before=False, after=True, cause="drift", line=9)
    at = at.model_copy(update={"file": "manifests/fleet.yaml"})
    assert annotations(document(planned(update("a", at, cause="drift")))).startswith(
        "::notice file=manifests/fleet.yaml,line=9,"
    )


def test_paths_are_the_repositorys() -> None:
    """Wherever the command was run: GitHub drops what stands at another path. What has no place gets none."""
    fleet = Problem("manifest", "x", file="../fleet.yaml", line=2)
    assert (
        annotations(document(in_sync(), errors=(fleet,)), "infra/eu")
        == "::error file=infra/fleet.yaml,line=2,title=manifest::x\n"
    )
    below = ALL.replace("file=", "file=infra/")
    assert annotations(document(a_plan(), explained(), errors=the_problems()), "infra") == below


def test_a_step_has_ten_of_a_kind() -> None:
    """GitHub would drop the others without a word: nine, and how many more; those that are cut aren't this change's."""

    def lines(count: int) -> list[str]:
        deletes = [delete(f"c-{number:02}", cause="pending") for number in range(count - 1)]
        problems = (Problem("manifest", "x", file="a.yaml", line=1),) * count
        own = delete("z", cause="revision")
        return annotations(document(planned(*deletes, own, create("new")), errors=problems)).splitlines()

    assert len(lines(10)) == 20
    assert not [line for line in lines(10) if "more" in line]
    assert len(lines(11)) == 20
    assert lines(23)[10] == "::warning title=z would be deleted::data-loss, removed by this change"
    assert lines(23)[9::10] == [
        "::error title=14 more::the job summary has them all",
        "::warning title=14 more::the job summary has them all",
    ]


def test_a_change_of_many_fields_tells_five_and_what_is_long_is_cut() -> None:
    """One line each, that somebody can read."""
    many = [field("description", before=f"b{n}", after="a", cause="drift", line=n) for n in range(1, 7)]
    for count, told in ((5, ""), (6, ", and 1 more")):
        line = annotations(document(planned(update("a", *many[:count], cause="drift"))))
        assert line.count("description: ") == 5
        assert ("b5" in line, "b6" in line) == (True, False)
        assert line.endswith(f"{told}\n")
        assert ", description: b2 → a  (" in line
    problem = Problem("manifest", "m" * 601, "r" * 601, file="a.yaml", line=1)
    violation = Violation(guard="adopt", message="v" * 601, file="fleet.yaml", line=2)
    refused = planned().model_copy(update={"violations": (violation,)})
    lines = annotations(document(refused, errors=(problem,))).splitlines()
    assert [line.rpartition("::")[2] for line in lines] == [f"{'m' * 599}… → {'r' * 599}…", f"{'v' * 599}…"]


def test_no_text_ends_a_command() -> None:
    """Percent signs everywhere; colons and commas in properties; what is unseen is spelled out."""
    problem = Problem("manifest", "100%\n::warning::x, y: z", file="a:b,c%.yaml", line=1, cluster="x\r\n::error::y")
    assert annotations(document(errors=(problem,))) == (
        '::error file=a%3Ab%2Cc%25.yaml,line=1,title=cluster "x\\r\\n%3A%3Aerror%3A%3Ay"::100%25\\n::warning::x, y: z\n'
    )
