"""Folders, streams and the fleet file."""

import os
import socket
from pathlib import Path
from textwrap import dedent

import pytest
from structlog.testing import capture_logs

from reconciler.desired.fleet import read_fleet, read_stream
from reconciler.errors import InvalidManifests, UsageError
from reconciler.model.fleet import Target
from tests.desired.test_manifests import GOOD


def told(folder: Path) -> list[str]:
    """The problems of a folder, one line each, without the folder."""
    with pytest.raises(InvalidManifests) as caught:
        read_fleet(str(folder))
    return [f"{p.place}: {p.message}".replace(f"{folder}/", "") for p in caught.value.problems()]


def write(folder: Path, **files: str) -> Path:
    """Files by name, `__` for a slash, `.yaml` left out."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return folder


def test_without_a_fleet_file_the_folder_is_one_target(tmp_path: Path) -> None:
    """All manifests below the folder are the target `default`; hidden files and others' formats are passed over."""
    write(tmp_path, a=f"name: a\n{GOOD}", deep__er__b=f"name: b\n{GOOD}")
    write(tmp_path, **{".git__c": "name: ["})
    (tmp_path / "notes.txt").write_text("not ours")
    fleet = read_fleet(str(tmp_path))
    assert fleet.targets == (Target("default", str(tmp_path)),)
    assert list(fleet.head("default").declarations) == ["a", "b"]
    assert fleet.head("default").declarations["b"].file == f"{tmp_path}/deep/er/b.yaml"


def test_an_empty_folder_declares_nothing_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    """Nothing is not the same as nothing there."""
    assert read_fleet(str(tmp_path)).head("default").declarations == {}
    with pytest.raises(UsageError, match="there is no folder") as caught:
        read_fleet(str(tmp_path / "manifest"))
    assert caught.value.remedy == "name the folder of manifests: --manifests DIR"


def test_two_of_one_name_are_told_with_all_else_that_is_wrong(tmp_path: Path) -> None:
    """One run shows a duplicate name even where both documents have other errors."""
    write(tmp_path, a=f"name: x\n{GOOD}oops: 1\n", b=f"name: x\n{GOOD.replace('2', 'two')}", c=f"name: x\n{GOOD}")
    assert told(tmp_path) == [
        'a.yaml:6:1: unknown key "oops"',
        f"b.yaml:1:1: declared twice: first at {tmp_path}/a.yaml:1".replace(f"{tmp_path}/", ""),
        'b.yaml:3:14: shard_count is "two", a text, not a whole number',
        "c.yaml:1:1: declared twice: first at a.yaml:1",
    ]


def test_standard_input_is_one_target() -> None:
    """`-` reads several documents from a stream."""
    fleet = read_stream(f"name: a\n{GOOD}---\nname: b\n{GOOD}".encode())
    assert [d.file for d in fleet.head("default").declarations.values()] == ["<stdin>", "<stdin>"]


def test_only_regular_files_are_opened_and_links_are_not_followed(tmp_path: Path) -> None:
    """A FIFO, a socket or an unreadable file is an error, at once; a symbolic link is passed over, and that is logged."""
    write(tmp_path, a=f"name: a\n{GOOD}")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    with capture_logs() as logs:
        assert list(read_fleet(str(tmp_path)).head("default").declarations) == ["a"]
    assert [(event["event"], event["file"]) for event in logs] == [
        ("manifest.skipped", f"{tmp_path}/link.yaml"),
        ("manifest.skipped", f"{tmp_path}/loop"),
    ]
    os.mkfifo(tmp_path / "fifo.yaml")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.yaml"))
        (tmp_path / os.fsdecode(b"\xff\x1b.yaml")).write_text("name: [")
        assert told(tmp_path) == [
            "\\xff\x1b.yaml:2:1: this is no YAML: did not find expected node content",
            "fifo.yaml:1: it is no regular file",
            "s.yaml:1: it can't be opened: No such device or address",
        ]


def test_a_fleet_file_gives_each_target_its_endpoint_and_folder(tmp_path: Path) -> None:
    """Regions and endpoints are normalised, defaults filled in, the file's order kept."""
    text = """\
        targets:
          west:
            endpoint: Cell-9.prod.a.momentohq.com
            manifests: w/deep
            api_key_env: KEY_W
            concurrency: 2
            rate: 0.5
          us-east-1:
            region: us-east-1
          local:
            endpoint: http://127.0.0.1:8080/accounts/x/
        """
    write(tmp_path, fleet=text, w__deep__a=f"name: a\n{GOOD}", us_east=f"name: x\n{GOOD}")
    (tmp_path / "us_east.yaml").unlink()
    for folder in ("us-east-1", "local"):
        (tmp_path / folder).mkdir()
    fleet = read_fleet(str(tmp_path))
    assert [
        (t.name, t.endpoint, t.folder.removeprefix(str(tmp_path)), t.api_key_env, t.concurrency, t.rate)
        for t in fleet.targets
    ] == [
        ("west", "https://api.cache.cell-9.prod.a.momentohq.com", "/w/deep", "KEY_W", 2, 0.5),
        (
            "us-east-1",
            "https://api.cache.cell-us-east-1-1.prod.a.momentohq.com",
            "/us-east-1",
            "MOMENTO_API_KEY",
            8,
            None,
        ),
        ("local", "http://127.0.0.1:8080/accounts/x", "/local", "MOMENTO_API_KEY", 8, None),
    ]
    assert list(fleet.head("west").declarations) == ["a"]


def test_a_fleet_file_that_contradicts_itself_is_refused_with_all_reasons(tmp_path: Path) -> None:
    """Unknown keys and regions, folders that overlap, are missing or lead out, twins, strays: all at once."""
    text = """\
        targets:
          a: {region: us-esat-1, manifests: x}
          b: {region: us-east-1, endpoint: https://h, manifests: x/y}
          c: {endpoint: http://example.com, manifests: ../out}
          d: {endpoint: https://h, concurrency: 0}
          e: {endpoint: https://h/, manifest: e}
        """
    write(tmp_path, fleet=text, stray=f"name: a\n{GOOD}", x__y__b=f"name: b\n{GOOD}")
    assert told(tmp_path) == [
        "fleet.yaml:5:41: targets.d.concurrency is 0",
        'fleet.yaml:6:29: unknown key "manifest"',
    ]
    text = text.replace("concurrency: 0", "concurrency: 1").replace("manifest: e", "manifests: e")
    write(tmp_path, fleet=text)
    assert told(tmp_path) == [
        'fleet.yaml:2:15: unknown region "us-esat-1"',
        "fleet.yaml:3:3: the folders of targets a and b overlap",
        "fleet.yaml:3:36: region and endpoint are both given",
        "fleet.yaml:4:17: http:// would send the API key to example.com in the clear: use https://",
        "fleet.yaml:4:48: it leads out of the folder of manifests",
        "fleet.yaml:4:48: target c: there is no folder " + f"{tmp_path}/../out".replace(f"{tmp_path}/", ""),
        "fleet.yaml:5:3: target d: there is no folder d",
        "fleet.yaml:6:3: targets d and e have the same endpoint and the same key",
        "fleet.yaml:6:40: target e: there is no folder e",
        "stray.yaml:1: it is in no target's folder",
    ]


def test_guards_are_limits_durations_and_patterns(tmp_path: Path) -> None:
    """A target's own take the place of those for all; null is no limit; what is none says how to write one."""
    text = """\
        targets:
          a: {endpoint: https://h, guards: {max_deletes: null, prune_within: 2h}}
          b: {endpoint: https://i, on_drift: report}
        guards: {max_deletes: 1, protect: [prod-*]}
        """
    write(tmp_path, fleet=text, a__x=f"name: x\n{GOOD}", b__y=f"name: y\n{GOOD}")
    a, b = read_fleet(str(tmp_path)).targets
    assert (a.guards.max_deletes, a.guards.prune_within, a.guards.protect, a.on_drift) == (
        None,
        7200,
        ("prod-*",),
        "revert",
    )
    assert (b.guards.max_deletes, b.guards.prune_within, b.on_drift) == (1, 30 * 86400, "report")
    text = """\
        targets:
          a: {endpoint: https://h, api_key_env: 1KEY, on_drift: ignore, concurrency: null}
        guards: {prune_within: 30, max_delete_fraction: 2, protect: null}
        """
    write(tmp_path, fleet=text)
    assert told(tmp_path) == [
        'fleet.yaml:2:41: targets.a.api_key_env "1KEY" is no variable\'s name',
        'fleet.yaml:2:57: targets.a.on_drift is "ignore"',
        "fleet.yaml:2:78: targets.a.concurrency is null",
        "fleet.yaml:3:24: guards.prune_within: 30 is not a duration: write a number and a unit, such as 30d",
        "fleet.yaml:3:49: guards.max_delete_fraction is 2",
        "fleet.yaml:3:61: guards.protect is null, not a list",
    ]


def test_names_of_other_targets_of_one_endpoint_are_known(tmp_path: Path) -> None:
    """Two keys, one endpoint: what the other target declares is nobody's to delete."""
    text = "targets:\n  a: {endpoint: https://h, api_key_env: A}\n  b: {endpoint: https://h, api_key_env: B}\n"
    write(tmp_path, fleet=text, a__x=f"name: x\n{GOOD}", b__y=f"name: y\n{GOOD}")
    fleet = read_fleet(str(tmp_path))
    assert fleet.head("a").elsewhere == {"y"}
    assert fleet.with_endpoint("b", "https://other").head("a").elsewhere == frozenset()
