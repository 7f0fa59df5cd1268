"""Histories that no porcelain makes: names, messages, people, modes and objects as only plumbing writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from reconciler.desired.fleet import read_source
from reconciler.errors import ReconcilerError
from reconciler.evidence.record import Records
from reconciler.model.text import is_printable
from tests.evidence.asking import TARGET, opened
from tests.evidence.repositories import Repo, git_of, text
from tests.fuzz.subject import JSON_WORDS, WORDS, YAML_WORDS, Subject, damaged, told

_NAMES = (b"manifests/a.yaml", b"manifests/b.yml", b"manifests/\xff\n.yaml", b'manifests/"q\t.yaml', b"manifests/.git2/x.yaml",
          b"manifests/fleet.yaml", b"manifests/x/" + b"d/" * 40 + b"a.yaml", b"HEAD", "manifests/ü.YAML".encode())  # fmt: skip
_MODES = (b"100644", b"100644", b"100644", b"100755", b"120000", b"160000")


@dataclass(frozen=True)
class Commit:
    """What one commit says; `files` are by name with their modes."""

    message: bytes
    person: bytes
    at: bytes
    files: Sequence[tuple[bytes, bytes, bytes]]


_texts = st.sampled_from([*WORDS, "Revision: x", "a\n\nb", "e" * 5000]).map(str.encode) | st.binary(max_size=30)
_people = st.sampled_from([b"A <a@b>", b"", b" <>", b"\xff <\xff>", b"A <a@b> B <c@d>", b"<a\x1b[2J@b>"])
_moments = st.sampled_from(
    [b"1700000000 +0000", b"0 +0000", b"-5 +0000", b"99999999999999 +9999", b"x", b"", b"1 -00000"]
)
_contents = st.sampled_from([text("a").encode(), text("a", 3).encode(), text("b").encode(), b""]) | damaged(
    [text("a").encode()], YAML_WORDS
)
_commits = st.builds(
    Commit,
    _texts,
    _people,
    _moments,
    st.lists(st.tuples(st.sampled_from(_MODES), st.sampled_from(_NAMES), _contents), max_size=4),
)


def _write(repo: Repo, commits: Sequence[Commit]) -> None:
    """A chain of commits, written as they are, and HEAD on it."""
    parent, files = "", dict[bytes, tuple[bytes, str]]()
    for commit in commits:
        for mode, name, content in commit.files:
            blob = repo.git("hash-object", "-w", "--stdin", given=content) if mode != b"160000" else "1" * 40
            files[name] = (mode, blob)
        index = b"".join(b"%b %b\t%b\0" % (mode, blob.encode(), name) for name, (mode, blob) in files.items())
        repo.git("read-tree", "--empty")
        repo.git("update-index", "-z", "--index-info", given=index)
        who = commit.person + b" " + commit.at
        lines = [b"tree " + repo.git("write-tree").encode(), *([b"parent " + parent.encode()] if parent else [])]
        written = b"\n".join([*lines, b"author " + who, b"committer " + who, b"", commit.message])
        parent = repo.git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", given=written)
    repo.git("update-ref", "refs/heads/main", parent)


def check_history(commits: Sequence[Commit]) -> None:
    """What it says of who set what can be told; or it is an error of ours."""
    with TemporaryDirectory() as folder:
        repo = Repo.new(Path(folder, "r"))
        _write(repo, commits)
        Path(folder, "r", "manifests").mkdir()
        try:
            with opened(repo) as checkout:
                head = read_source(checkout.head_tree()).head(TARGET.name)
                known = checkout.evidence(head, None, ["a", "b"], ())
                assert all(map(is_printable, known.warnings))
                checkout.who_set(TARGET, {"a": ["shard_count"], "b": ["shard_count"]})
                assert checkout.had_folder("manifests/gone") in {True, False}
        except ReconcilerError as error:
            told(error)


def check_record_ref(data: tuple[bytes, bytes, bytes]) -> None:
    """What stands at a record's ref, and is none, is an error of ours."""
    kind, content, message = data
    with TemporaryDirectory() as folder:
        repo = Repo.new(Path(folder, "r"))
        blob = repo.git("hash-object", "-w", "--stdin", given=content)
        sha = blob
        if kind != b"blob":
            listed = b"100644 blob %b\t%b\0" % (blob.encode(), kind)
            sha = repo.git("mktree", "-z", given=listed)
            if message:
                written = b"tree " + sha.encode() + b"\n" + message
                sha = repo.git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", given=written)
        Path(folder, "r", ".git", "refs", "reconciler", "record").mkdir(parents=True)
        Path(folder, "r", ".git", "refs", "reconciler", "record", "default-12345678").write_text(f"{sha}\n")
        with git_of(Path(folder, "r")) as git:
            try:
                Records(git, "run").all()
            except ReconcilerError as error:
                told(error)


_messages = st.sampled_from(
    [b"", b"author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n\nRevision: " + b"a" * 40, b"x", b"\nx"]
)

SUBJECTS: tuple[Subject[Any], ...] = (
    Subject("history", st.lists(_commits, min_size=1, max_size=4), check_history, 20),
    Subject(
        "record-refs",
        st.tuples(
            st.sampled_from([b"blob", b"target.json", b"clusters.jsonl", b"x"]), damaged([b"{}"], JSON_WORDS), _messages
        ),
        check_record_ref,
        20,
    ),
)
