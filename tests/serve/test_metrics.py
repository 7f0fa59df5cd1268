"""The metrics say what the picture does; what is documented, and what is alerted on, is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from reconciler.serve.events import Exchanged
from reconciler.serve.metrics import metrics_text
from reconciler.serve.picture import Picture
from reconciler.serve.transition import after
from tests.serve.scenes import APPLYING, NOW, all_in_sync, drifted, everything, half_failed, suspended_apply

ROOT = Path(__file__).parent.parent.parent
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
SCENARIOS = Path(__file__).parent / "alerts.yaml"


def samples(picture: Picture) -> dict[str, float]:
    """Every sample, as `name{label="value"}`, as Prometheus's own parser reads it."""
    return samples_of(metrics_text(lambda: picture).decode())


def samples_of(text: str) -> dict[str, float]:
    return {
        f"{one.name}{{{','.join(f'{key}={value}' for key, value in sorted(one.labels.items()))}}}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_what_stands_is_told_of_each_target() -> None:
    """Drift by cause, what is in sync, what is suspended, when the last good round was and the next one is."""
    found = samples(drifted())
    assert found["reconciler_out_of_sync_clusters{cause=drift,target=us-east-1}"] == 2
    assert found["reconciler_out_of_sync_clusters{cause=pending,target=us-east-1}"] == 1
    assert found["reconciler_out_of_sync_clusters{cause=conflict,target=us-east-1}"] == 0
    assert found["reconciler_in_sync_clusters{target=us-east-1}"] == 7
    assert found["reconciler_suspended{target=us-east-1}"] == 0
    assert found["reconciler_suspended{target=eu-west-1}"] == 1
    assert found["reconciler_last_success_timestamp_seconds{target=us-east-1}"] == NOW - 120
    assert found["reconciler_next_round_timestamp_seconds{target=us-east-1}"] == NOW + 180


def test_what_has_happened_is_counted() -> None:
    """Rounds and their seconds, changes, requests."""
    picture = after(after(half_failed(), Exchanged("GET", 200)), Exchanged("PUT", None))
    found = samples(picture)
    assert found["reconciler_reconcile_total{result=ok}"] == 1
    assert found["reconciler_reconcile_total{result=failed}"] == 1
    assert found["reconciler_reconcile_duration_seconds_bucket{le=2.5}"] == 1
    assert found["reconciler_reconcile_duration_seconds_count{}"] == 2
    assert found["reconciler_reconcile_duration_seconds_sum{}"] == pytest.approx(36.2)
    assert found["reconciler_changes_total{action=create,outcome=applied}"] == 2
    assert found["reconciler_http_requests_total{code=200,method=GET}"] == 1
    assert found["reconciler_http_requests_total{code=none,method=PUT}"] == 1
    assert found["reconciler_consecutive_failures{target=eu-west-1}"] == 3
    assert found["reconciler_unhealthy_clusters{target=us-east-1}"] == 2


def test_each_metric_is_documented() -> None:
    """By name and labels, and none that isn't there."""
    section = (ROOT / "docs/operations.md").read_text().partition("## Metrics")[2]
    documented = set(re.findall(r"^\| `(reconciler_\w+(?:\{[\w,]+\})?)` \|", section, re.MULTILINE))
    picture = after(half_failed(), Exchanged("GET", 1))
    named = set()
    for family in text_string_to_metric_families(metrics_text(lambda: picture).decode()):
        assert family.documentation
        labels = {label for one in family.samples for label in one.labels} - {"le"}
        order = [
            label
            for label in ("version", "target", "result", "action", "outcome", "method", "code", "cause")
            if label in labels
        ]
        name = f"{family.name}_total" if family.type == "counter" else family.name
        named.add(name + (f"{{{','.join(order)}}}" if order else ""))
    assert named == documented


def test_nothing_was_ever_seen_and_there_are_metrics() -> None:
    assert next(iter(samples(APPLYING))).startswith("reconciler_build_info{version=")


def test_labels_are_of_closed_lists_whatever_comes() -> None:
    """But for the targets, whose names a fleet file bounds."""
    hostile = everything(lambda text: f'"\\\n{text}')
    values = {one.partition("{")[2] for one in samples(hostile) if "target=" not in one}
    assert not [value for value in values if '"' in value or "\\" in value]
    assert samples(suspended_apply())["reconciler_suspended{target=us-east-1}"] == 1


def test_what_is_alerted_on_is_there() -> None:
    """Each metric of each rule; each rule has what a person needs to read."""
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    there = {name.partition("{")[0] for name in samples(half_failed())} | {"reconciler_changes_total"}
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
    for rule in group["rules"]:
        named = set(re.findall(r"reconciler_\w+", rule["expr"]))
        assert named
        assert named <= there, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert {"summary", "description"} <= rule["annotations"].keys()


def test_prometheus_itself_takes_the_alerts() -> None:
    """With promtool, where it is there (Debian: apt-get install prometheus); each in its scenario, and no other."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool isn't there: apt-get install prometheus")
    ended = subprocess.run([promtool, "check", "rules", ALERTS], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = subprocess.run([promtool, "test", "rules", SCENARIOS], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr + told.stdout
    text = metrics_text(all_in_sync)
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr + checked.stdout) == (0, b"")
