"""What a pull request shows."""

import pytest

from reconciler.model.evidence import Base
from reconciler.plan.change import Source
from reconciler.report.inline import Links
from reconciler.report.markdown import plans_markdown, problems_markdown, reports_markdown
from reconciler.results import Result, ResultSummary, TargetReport
from tests.report.everything import a_plan, a_report, as_it_is, delete, explained, in_sync, the_problems

LINKS = Links("https://git.example.com/", "acme/fleet", "abc123")

PROBLEMS = """\
- **error** `manifests/orders.yaml:4:14` cluster `orders`: `shard_count must be a whole number`
  <br>→ `write 3 without quotes`
- **error** `manifests/new.yaml:2`: `this is no YAML`
- **error** `eu-west-1`: `GET /cluster: no connection`
- **error** `eu-west-1` cluster `broken`: `it is CreationFailed`
- **error**: `nothing matches`
  <br>→ `see reconciler plan --help`
"""

PLAN = f"""\
### `us-east-1`: 2 to delete, 2 to create, 2 to update, 1 to be deleted by hand first, 4 in sync

nodes: 53 → 49 (-4)

> [!CAUTION]
> **2 clusters to delete**
> - `gone` · **data-loss** · last at `manifests/gone.yaml:7` · removed in `4ca6a63`
> - `stray` · **data-loss**

<details><summary>create <b><code>again</code></b> · 4 nodes of <code>m6g.large</code> · <code>manifests/again.yaml:1</code> · one of this name is being deleted: the create waits until it is gone</summary>

```diff
+ node_instance_type: m6g.large
+ shard_count: 2
```

</details>

<details><summary>create <b><code>new</code></b> · 4 nodes of <code>m6g.large</code> · <code>manifests/new.yaml:1</code></summary>

```diff
+ node_instance_type: m6g.large
+ shard_count: 2
```

</details>

<details><summary>update <b><code>busy</code></b> · <code>replication_factor: 1 → 0</code> · <code>enforce_shard_multi_az: true → false</code> · and 1 more · <b>fewer-replicas, no-failover</b> · <code>manifests/busy.yaml:1</code> · the service is still at work on it: the update waits until it is Active</summary>

```diff
- replication_factor: 1
+ replication_factor: 0
- enforce_shard_multi_az: true
+ enforce_shard_multi_az: false
- shard_placements[0].replica_availability_zones: [us-east-1b, us-east-1c]
+ shard_placements[0].replica_availability_zones: []
```

</details>

<details><summary>update <b><code>orders</code></b> · <code>description: &quot;&quot; → &quot;Orders: \\&quot;all\\&quot; of them&quot;</code> · <code>node_instance_type: m6g.large → r6g.large</code> · <b>node-replacement</b> · <code>manifests/orders.yaml:1</code></summary>

```diff
- description: ""
+ description: "Orders: \\"all\\" of them"
- node_instance_type: m6g.large
+ node_instance_type: r6g.large
```

</details>

- **warning** `main has moved on: this branch doesn't hold its last 2 commits`
- **unhealthy** `broken is CreationFailed: NoCapacity, Try later` · no update can mend it: delete it, then apply creates it
- **unhealthy** `other-01 is Active`
- not declared, left alone: `other-01`, `other-02`, `other-03`, `other-04`, `other-05`, `other-06`, `other-07`, `other-08`, `other-09`, `other-10`, `other-11`, `other-12`, `other-13`, `other-14`, `other-15`, `other-16`, `other-17`, `other-18`, `other-19`, `other-20` and 2 more

<sub>endpoint `https://api.cache.example.com` · digest `{a_plan().digest}`</sub>
"""

EXPLAINED = f"""\
### `us-east-1`: 1 to delete, 1 to create, 4 to update, 3 in sync

nodes: 53 → 49 (-4)

> [!CAUTION]
> **1 cluster to delete**
> - `gone` · **data-loss** · last at `manifests/gone.yaml:7` · removed by this change

> [!WARNING]
> - **refused by max-deletes**: `1 cluster would be deleted, and 0 are the most`
> - **1 conflict**, would overwrite what nobody reviewed: `contested`

**Conflicts: would overwrite what nobody reviewed**

<details><summary>update <b><code>contested</code></b> · <code>shard_count: 5 → 3</code> · <b>node-replacement</b> · <code>manifests/contested.yaml:1</code></summary>

```diff
- shard_count: 5
+ shard_count: 3
```

</details>

**This change**

<details><summary>update <b><code>orders</code></b> · <code>node_instance_type: m6g.large → r6g.large</code> · <code>shard_count: 4 → 2</code> · and 1 more · <b>node-replacement</b> · <code>manifests/orders.yaml:1</code> · adopts it: live already, declared for the first time</summary>

```diff
- node_instance_type: m6g.large
+ node_instance_type: r6g.large
- shard_count: 4
+ shard_count: 2  (drift, reverted along with it)
- replication_factor: 1
+ replication_factor: 2  (pending since 159aa65914)
```

</details>

**Merged before, not applied yet**

<details><summary>create <b><code>late</code></b> · 4 nodes of <code>m6g.large</code> · <code>manifests/late.yaml:1</code></summary>

```diff
+ node_instance_type: m6g.large
+ shard_count: 2
```

</details>

<details><summary>update <b><code>later</code></b> · <code>shard_count: 1 → 2</code> · <b>node-replacement</b> · <code>manifests/later.yaml:1</code></summary>

```diff
- shard_count: 1
+ shard_count: 2  (pending since 159aa65914)
```

</details>

**Drift: changed behind git's back**

<details><summary>update <b><code>wandered</code></b> · <code>shard_count: 9 → 2</code> · <b>node-replacement</b> · <code>manifests/wandered.yaml:1</code> · left as it is: on_drift is report</summary>

```diff
- shard_count: 9
+ shard_count: 2
```

</details>

- not declared, left alone: `old` (owned, removed in `159aa65914`: --prune deletes it), `theirs` (never-declared)

<sub>base `4ca6a63f0e` (`before this push to main`) · applied unknown, so inferred · endpoint `https://api.cache.example.com` · digest `{explained().digest}`</sub>
"""

IN_SYNC = """\
### `eu-west-1`: in sync, 3 clusters as declared
"""

REPORT = """\
### `us-east-1`: 1 failed, 1 unknown, 1 stale, 1 skipped, 2 applied

> [!CAUTION]
> - **failed** update `busy` after 3 attempts in 1m: `PUT /cluster/busy: 503: try later`

> [!WARNING]
> - **unknown** delete `stray` in 2h 5s: `DELETE /cluster/stray: no answer`
> - **stale** update `orders`: `moved since the plan`

**1 skipped**

- delete `gone`: `another change failed`

**2 applied**

- create `again` in 1m 3s
- create `new` in 0.4s

<sub>endpoint `https://api.cache.example.com` · digest `sha256:0`</sub>
"""


def test_a_plan_shows_every_delete_and_closes_the_rest() -> None:
    """Counts, deletes, then each cluster a block that opens to a diff; what else is to be known; the digest last."""
    assert plans_markdown([a_plan()]) == PLAN
    assert plans_markdown([in_sync()]) == IN_SYNC
    assert plans_markdown([]) == ""


def test_a_plan_is_grouped_by_why() -> None:
    """What is refused and what conflicts follow the deletes; then what this change does, and what it drags along."""
    assert plans_markdown([explained()]) == EXPLAINED


def test_errors_stand_under_the_counts() -> None:
    """They are counted first, and told before anything else."""
    assert plans_markdown([in_sync()], the_problems()) == (
        f"### 5 errors · `eu-west-1`: in sync, 3 clusters as declared\n\n{PROBLEMS}"
    )
    assert plans_markdown([], the_problems()[1:2]) == (
        "### 1 error\n\n- **error** `manifests/new.yaml:2`: `this is no YAML`\n"
    )


SEVERAL = """\
### 1 to delete, 6 in sync in 3 targets

nodes: 36

> [!CAUTION]
> **1 cluster to delete**
> - `stray` in `us` · **data-loss**

#### `us`: 1 to delete, 3 in sync · nodes: 12

<sub>endpoint `sandbox:us` · digest `{digest}`</sub>

In sync: `eu`, `ap`
"""


def test_deletes_of_all_targets_stand_together() -> None:
    """Counts are of all; each target that has something to tell has a part, the others a line."""
    summary = in_sync().summary.model_copy(update={"delete": 1})
    us = in_sync("us").model_copy(update={"summary": summary, "changes": (delete(as_it_is, "stray", None),)})
    idle = in_sync("eu", 1), in_sync("ap", 2)
    assert plans_markdown([idle[0], us, idle[1]]) == SEVERAL.format(digest=us.digest)
    assert plans_markdown(idle) == "### in sync, 3 clusters as declared in 2 targets\n"


def test_few_clusters_stand_open() -> None:
    """Nobody clicks for one; where a block is open, its head doesn't say the diff once more."""
    few = explained().model_copy(update={"changes": explained().changes[:1]})
    assert "<details open><summary>update <b><code>contested</code></b> · <b>node-replacement</b>" in plans_markdown(
        [few]
    )


UNREAD = """\
> [!IMPORTANT]
> **The live clusters were not read.** This is base against head alone, and can't be applied.

### `eu-west-1`: in sync, 3 clusters as declared
"""


def test_a_plan_without_live_says_so_first() -> None:
    """Of all targets, or of which; before the counts, which count nothing that is live."""
    unread = in_sync().model_copy(update={"live_read": False})
    assert plans_markdown([unread]) == UNREAD
    assert plans_markdown([in_sync("us"), unread]).startswith(
        "> [!IMPORTANT]\n> **The live clusters of `eu-west-1` were not read.** "
    )


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
    plan = explained().model_copy(update={"base": Base(commit="5555555", reason="x")})
    page = plans_markdown([plan], links=LINKS)
    assert (
        "`gone` · **data-loss** · last at [`manifests/gone.yaml:7`]"
        "(https://git.example.com/acme/fleet/blob/5555555/manifests/gone.yaml#L7) · removed by this change\n"
    ) in page
    assert '<a href="https://git.example.com/acme/fleet/blob/abc123/manifests/late.yaml#L1">' in page
    assert "base [`5555555`](https://git.example.com/acme/fleet/commit/5555555)" in page
    assert "<a href" not in plans_markdown([plan.model_copy(update={"dirty": True})], links=LINKS)
    removed = delete(as_it_is, "gone", Source(file="manifests/gone.yaml", line=7, commit="4ca6a63"))
    assert (
        "last at `manifests/gone.yaml:7` · removed in [`4ca6a63`](https://git.example.com/acme/fleet/commit/4ca6a63)\n"
    ) in plans_markdown([plan.model_copy(update={"changes": (removed,)})], links=LINKS)
    assert problems_markdown(the_problems()[1:2], links=LINKS) == (
        "- **error** [`manifests/new.yaml:2`](https://git.example.com/acme/fleet/blob/abc123/manifests/new.yaml#L2): "
        "`this is no YAML`\n"
    )


def test_a_report_tells_what_went_wrong_first() -> None:
    """What failed and why, what else wasn't done, what was; how long it took."""
    assert reports_markdown([a_report()]) == REPORT
    assert reports_markdown([], the_problems()) == f"### 5 errors\n\n{PROBLEMS}"
    assert reports_markdown([a_report()], the_problems()).startswith(
        "### 5 errors · `us-east-1`: 1 failed, 1 unknown, 1 stale, 1 skipped, 2 applied\n\n- **error**"
    )


APPLIED = """\
### 12 applied in 2 targets

<details><summary>12 applied</summary>

- create `a-01` in `eu` in 1s
{more}
</details>

<sub>`eu` · endpoint `sandbox:eu` · digest `sha256:0`</sub>
"""


def test_what_went_well_is_closed_where_it_is_much() -> None:
    """Every change stands there all the same; of several targets each change names its own."""
    results = tuple(
        Result(action="create", name=f"a-{number:02}", outcome="applied", attempts=1, seconds=1)
        for number in range(1, 13)
    )
    done = TargetReport(
        target="eu", endpoint="sandbox:eu", digest="sha256:0", summary=ResultSummary(applied=12), results=results
    )
    idle = TargetReport(target="a", endpoint="sandbox:a", digest="sha256:0", summary=ResultSummary(), results=())
    more = "".join(f"- create `a-{number:02}` in `eu` in 1s\n" for number in range(2, 13))
    assert reports_markdown([done, idle]) == APPLIED.format(more=more)
    assert reports_markdown([idle]) == "### `a`: nothing to do\n"


def test_a_failure_says_where_the_cluster_was_left() -> None:
    """Its status as last seen, which tells a reader what to do next."""
    failed = Result(action="update", name="busy", outcome="failed", status="Updating", attempts=1, seconds=7200)
    report = a_report().model_copy(update={"results": (failed,)})
    assert "> - **failed** update `busy` in 2h, last seen `Updating`\n" in reports_markdown([report])


def test_problems_are_a_list() -> None:
    """Where, which cluster, what; the remedy below."""
    assert problems_markdown(the_problems()) == PROBLEMS
    assert problems_markdown(()) == ""
