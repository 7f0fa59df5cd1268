"""Anything that may be live, as Hypothesis finds it: odd names and texts, placements in part, errors, transitions."""

from typing import Any

from hypothesis import strategies as st

from reconciler.model.cluster import LiveCluster
from tests.fakes import live

ODD_WORDS = [
    *(
        "no",
        "Yes",
        "on",
        "y",
        "N",
        "true",
        "~",
        "null",
        "",
        " ",
        "a: b",
        "a #b",
        "- a",
        "? a",
        "[a",
        "{a}",
        "a,b",
        "&a",
    ),
    *("*a", "!a", "|", "> a", "%a", "@a", "`a`", "'a'", '"a"', "\\", "a:", "<<", "=", "...", "---", "0x1F", "1_000"),
    *(
        "12:30:45",
        "2024-01-01",
        "1e3",
        "0o17",
        "017",
        ".5",
        "-1",
        "+",
        "a\nb",
        "a\nb\n",
        "a\n\nb\n\n",
        " a\nb",
        "\n",
        "a\n ",
    ),
    *(
        "a\tb",
        "a\r\nb",
        "\x00",
        "\x1b[31m",
        "\u202e",
        "\u2028",
        "\x85",
        "\ufeff",
        "\ufdd0",
        "\ue000\ue400",
        "\U000e0001",
    ),
    *("é", "😀", "\xa0a", "::error::", "${x}", "a \nb", "a\n\tb"),
]
TEXTS = st.sampled_from(ODD_WORDS) | st.text(st.characters(codec="utf-8"), max_size=30)
ZONES = st.sampled_from(["us-east-1a", "us-east-1b", "b", "c"]) | TEXTS.filter(bool)
NAMES = st.sampled_from(
    ["orders", "Orders", "no", "0x1F", "fleet", "clusters", "...", ".hidden", "a b", "-", "1.5"]
) | (st.from_regex(r"[A-Za-z0-9._~-]{1,12}", fullmatch=True).filter(lambda name: name not in {".", ".."}))
STATUSES = st.sampled_from(["Active"] * 15 + ["Creating", "Updating", "Deleting", "CreationFailed", "UpdateFailed"])


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A configuration, though not one that makes sense: the service may list any."""
    shards, replicas = draw(st.integers(1, 4)), draw(st.integers(0, 2))
    count = draw(st.sampled_from([replicas, replicas, replicas, 1]))
    placed = st.builds(
        lambda zone, others: {"availability_zone": zone, "replica_availability_zones": others},
        ZONES,
        st.lists(ZONES, min_size=count, max_size=count),
    )
    placements = draw(st.none() | st.dictionaries(st.integers(0, shards - 1), placed))
    return {
        "description": draw(st.none() | TEXTS),
        "node_instance_type": draw(st.sampled_from(["m6g.large", "r7g.large"]) | TEXTS.filter(bool)),
        "shard_count": shards,
        "replication_factor": replicas,
        "enforce_shard_multi_az": draw(st.booleans()),
        "shard_placements": [{"shard_index": shard, **one} for shard, one in (placements or {}).items()],
    }


@st.composite
def live_clusters(draw: st.DrawFn) -> tuple[LiveCluster, ...]:
    """All that one account lists."""
    listed = draw(st.dictionaries(NAMES, bodies(), max_size=5))
    errors = st.sampled_from([[]] * 12 + [["InstanceTypeNotAvailable"]])
    return tuple(live(name, **body, status=draw(STATUSES), errors=draw(errors)) for name, body in listed.items())


@st.composite
def changed(draw: st.DrawFn, clusters: tuple[LiveCluster, ...]) -> tuple[LiveCluster, ...]:
    """A fleet that was like that, later: some are gone, some have other values, some have come."""
    later = {cluster.name: cluster for cluster in draw(live_clusters())}
    for cluster in clusters:
        match draw(st.sampled_from(["same", "other", "other", "gone"])):
            case "same":
                later[cluster.name] = cluster
            case "other":
                later[cluster.name] = live(cluster.name, **draw(bodies()))
    return tuple(later.values())
