"""The record in real repositories: written, fetched and pushed, by one and by several at once."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import GitError
from reconciler.evidence.format import CLUSTERS_FILE
from reconciler.evidence.git import Git
from reconciler.evidence.process import GitCommand, GitOutput, Reach
from reconciler.evidence.record import RECORDS, Records, ref_of
from reconciler.model.record import claim, unclaimed
from reconciler.model.text import printable
from tests.evidence.records import COMMITS, contents, line, record
from tests.evidence.repositories import ENDPOINT, Repo, script, text

REF = f"{RECORDS}us-east-1-2ddfdd9c"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository of one commit, whose server knows it as `origin`."""
    made = Repo.new(tmp_path / "first")
    made.commit({"manifests/a.yaml": text("a")})
    Repo.new(tmp_path / "server", "--bare")
    made.git("remote", "add", "origin", f"file://{tmp_path}/server")
    made.git("push", "--quiet", "origin", "main")
    return made


@pytest.fixture
def other(repo: Repo, tmp_path: Path) -> Repo:
    """Another clone of its server."""
    return server_of(repo).clone(tmp_path / "other")


def server_of(repo: Repo) -> Repo:
    return Repo(repo.folder.parent / "server")


@contextmanager
def records_of(repo: Repo, run: str = "run-1") -> Iterator[Records]:
    """The records of a clone."""
    git = Git.open(str(repo.folder))
    assert git is not None
    try:
        yield Records(git, run)
    finally:
        git.close()


def refs_of(repo: Repo) -> list[str]:
    return repo.git("for-each-ref", "--format=%(refname)", "refs/reconciler").split()


def test_the_ref_is_the_targets_name_and_the_hash_of_its_endpoint() -> None:
    """What a ref can't hold is percent-encoded; no two targets share one."""
    assert ref_of("us-east-1", ENDPOINT) == REF
    for target in ("a b", "a/b", "..", ".a", "a.lock", "@{", "~^:?*[\\", "é", "-a", "%41", "A", "\ud800", "x" * 60):
        ref = ref_of(target, ENDPOINT)
        assert re.fullmatch(rf"{RECORDS}(?!\.)[\w.%-]+-2ddfdd9c", ref, re.ASCII), target
        assert ".." not in ref
    names = ["a b", "a%20b", ".", "%2E", "..", "%2E%2E", "a", "A"]
    assert len({ref_of(name, ENDPOINT) for name in names}) == len(names)


def test_what_is_written_is_read_and_its_history_is_the_log(repo: Repo) -> None:
    """A chain of its own: message, revision and run; nothing of the repository is touched but its ref."""
    before = (repo.head, repo.git("status", "--porcelain"), repo.git("for-each-ref"))
    with records_of(repo) as records:
        assert (records.all(), records.read("us-east-1", ENDPOINT)) == ((), None)
        first = records.write(record(line("a"), revision=COMMITS[0]), "us-east-1: 1 applied")
        second = records.write(first._replace(lines={"b": line("b")}), "us-east-1: 1 applied\n\nRevision: x")
        assert first.commit != second.commit
        assert records.all() == (second,)
        assert records.read("us-east-1", ENDPOINT) == second
        assert (second.revision, [*second.lines]) == (COMMITS[0], ["b"])
        unsaid = records.write(second._replace(revision=None), "dirty")
        assert records.read("us-east-1", ENDPOINT) == unsaid
        assert unsaid.revision is None
    assert refs_of(repo) == [REF]
    log = repo.git("log", "--format=%an <%ae>%n%B", REF)
    assert log == (
        "reconciler <reconciler@localhost>\ndirty\n\nRun: run-1\n\n"
        f"reconciler <reconciler@localhost>\nus-east-1: 1 applied\\n\\nRevision: x\n\nRevision: {COMMITS[0]}\nRun: run-1\n\n"
        f"reconciler <reconciler@localhost>\nus-east-1: 1 applied\n\nRevision: {COMMITS[0]}\nRun: run-1"
    )
    repo.git("update-ref", "-d", REF)
    assert (repo.head, repo.git("status", "--porcelain"), repo.git("for-each-ref")) == before


def test_the_moment_of_what_was_applied_goes_along(repo: Repo, other: Repo) -> None:
    """The commit's own, for a clone that hasn't it; where it can't be looked up, the one that was known stays."""
    moment = float(repo.git("log", "-1", "--format=%ct"))
    with records_of(repo) as records:
        written = records.write(record(line("a"), revision=repo.head), "one")
        records.push("origin", [written])
    with records_of(other) as records:
        records.fetch("origin")
        (found,) = records.all()
        assert (found.revision, found.revision_at) == (repo.head, moment)
        gone = records.write(found._replace(revision="d" * 40, revision_at=7.0), "another")
        (again,) = records.all()
        assert (again.commit, again.revision, again.revision_at) == (gone.commit, "d" * 40, 7.0)


def test_the_last_applies_are_told_by_its_history(repo: Repo) -> None:
    """The newest first, each how it ended; one that was killed says what it was about."""
    with records_of(repo) as records:
        written = records.write(record(line("a"), revision=COMMITS[0]), "us-east-1: 1 applied")
        for name, message in (("b", "about to apply 2"), ("c", "1 applied, 1 failed"), ("d", "about to apply 1")):
            written = records.write(written._replace(lines={name: line(name)}), f"us-east-1: {message}")
        told = records.applies(written, 9)
        outcomes = ["about to apply 1", "1 applied, 1 failed", "1 applied"]
        assert [one.outcome for one in told] == outcomes
        assert {(one.revision, one.run) for one in told} == {(COMMITS[0], "run-1")}
        assert [one.outcome for one in records.applies(written, 2)] == outcomes[:2]
        assert records.applies(written._replace(commit=None), 9) == ()


def test_where_nothing_has_changed_nothing_is_written(repo: Repo) -> None:
    """Not even an object; a new revision is a change."""
    with records_of(repo) as records:
        first = records.write(record(line("a"), revision=COMMITS[0]), "x")
        objects = repo.git("count-objects")
        assert records.write(first, "y") == first
        assert records.write(contents(first), "y") == first
        assert repo.git("count-objects") == objects
        assert records.write(first._replace(revision=COMMITS[1]), "y").commit != first.commit


def test_a_writer_that_comes_second_merges(repo: Repo) -> None:
    """On top of what is there by now: neither loses a line, in one straight chain."""
    with records_of(repo) as records:
        base = records.write(record(line("a"), line("b"), line("c")), "base")
        mine = base.with_lines({"a": line("a", 5), "b": None})
        records.write(base.with_lines({"c": line("c", 7), "d": line("d")}), "theirs")
        merged = records.write(mine, "mine")
        assert merged.lines == {"a": line("a", 5), "c": line("c", 7), "d": line("d")}
        assert records.all() == (merged,)
        never_read = records.write(record(line("e")), "a run that read no record")
        assert sorted(never_read.lines) == ["a", "c", "d", "e"]
    assert repo.git("rev-list", "--count", REF) == repo.git("rev-list", "--count", "--first-parent", REF) == "4"


def test_many_write_one_record_at_once_and_no_line_is_lost(repo: Repo) -> None:
    """Processes of one clone: whoever is late has the others' lines in its own."""

    def write(number: int) -> None:
        with records_of(repo) as records:
            found = records.read("us-east-1", ENDPOINT) or record()
            records.write(found.with_lines({f"n{number}": line(f"n{number}")}), "x")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(8)))
    with records_of(repo) as records:
        (found,) = records.all()
    assert sorted(found.lines) == [f"n{number}" for number in range(8)]


def test_two_runners_push_one_record_and_none_is_lost(repo: Repo, other: Repo) -> None:
    """Each fetches what the other pushed, merges it, and pushes: both end with the same lines, the server too."""
    with records_of(repo) as mine, records_of(other, "run-2") as theirs:
        base = mine.write(record(line("a"), line("b")), "base")
        assert mine.push("origin", [base]) == (base,)
        theirs.fetch("origin")
        assert theirs.all() == (base,)
        one = mine.write(base.with_lines({"a": line("a", 3, at=5.0), "b": None}), "mine")
        two = theirs.write(base.with_lines({"a": line("a", 4, at=6.0), "c": line("c")}), "theirs")
        mine.push("origin", [one])
        (merged,) = theirs.push("origin", [two])
        both = line("a", 4, at=6.0)._replace(superseded=(line("a", 3).sent,))
        assert merged.lines == {"a": both, "c": line("c")}
        mine.fetch("origin")
        assert mine.all() == theirs.all() == (merged,)
    assert server_of(repo).git("rev-parse", REF) == merged.commit
    assert refs_of(repo) == refs_of(other) == [REF]


@pytest.mark.slow
def test_runners_that_push_at_the_same_moment_all_come_through(repo: Repo, tmp_path: Path) -> None:
    """A push that finds newer work fetches, merges and tries again."""
    clones = [server_of(repo).clone(tmp_path / f"clone{number}") for number in range(3)]

    def run(number: int) -> None:
        with records_of(clones[number], f"run-{number}") as records:
            written = record()
            for step in range(2):
                name = f"n{number}-{step}"
                written = records.write(written.with_lines({name: line(name)}), "x")
                (written,) = records.push("origin", [written])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))
    with records_of(repo) as records:
        records.fetch("origin")
        (found,) = records.all()
    assert sorted(found.lines) == [f"n{number}-{step}" for number in range(3) for step in range(2)]


def test_a_run_killed_between_write_and_push_is_made_good_by_the_next(repo: Repo, other: Repo) -> None:
    """What it wrote stays in its clone, and goes along with the next push, whoever was there meanwhile."""
    with records_of(repo) as killed:
        killed.write(record(line("a")), "never pushed")
    with records_of(other) as records:
        records.push("origin", [records.write(record(line("b")), "x")])
    with records_of(repo) as again:
        again.fetch("origin")
        found = again.read("us-east-1", ENDPOINT)
        assert found is not None
        assert sorted(found.lines) == ["a", "b"]
        again.push("origin", [found])
        assert server_of(repo).git("rev-parse", REF) == found.commit


def test_a_renamed_target_takes_its_record_along_everywhere(repo: Repo, other: Repo) -> None:
    """One chain under a new name, the old ref gone: here, on the server, and in another clone that had more to say."""
    renamed = ref_of("virginia", ENDPOINT)
    with records_of(repo) as mine, records_of(other) as theirs:
        base = mine.write(record(line("a")), "x")
        mine.push("origin", [base])
        theirs.fetch("origin")
        theirs.write(base.with_lines({"late": line("late")}), "under the old name, not pushed")
        claimed = claim(mine.all(), "virginia", ENDPOINT, "MOMENTO_API_KEY", [("virginia", ENDPOINT)])
        assert claimed is not None
        assert (claimed.target, claimed.renamed_from, claimed.commit) == ("virginia", "us-east-1", base.commit)
        moved = mine.write(claimed, "renamed")
        assert (moved.renamed_from, refs_of(repo)) == (None, [renamed])
        mine.fetch("origin")
        assert refs_of(repo) == [renamed]
        assert mine.push("origin", [moved]) == (moved,)
        assert refs_of(server_of(repo)) == [renamed]
        theirs.fetch("origin")
        (found,) = theirs.all()
        assert (found.target, sorted(found.lines), refs_of(other)) == ("virginia", ["a", "late"], [renamed])
        theirs.push("origin", [found])
        mine.fetch("origin")
        assert mine.all() == (found,)
    assert repo.git("merge-base", "--is-ancestor", str(base.commit), renamed) == ""


@pytest.mark.slow
def test_a_run_that_a_rename_overtakes_writes_under_the_new_name(repo: Repo) -> None:
    """Else the old ref would be back, and left behind for ever: what ends is of the target that bears its chain."""
    with records_of(repo) as first, records_of(repo) as second:
        begun = first.write(record(line("a")), "about to apply 1")
        second.write(record(line("c"), target="us-west-2", endpoint="https://other.example.com"), "of another account")
        second.write(
            begun._replace(target="virginia", renamed_from="us-east-1").with_lines({"b": line("b")}), "renamed"
        )
        ended = first.write(begun.with_lines({"a": line("a", at=9.0)}), "1 applied")
        assert (ended.target, sorted(ended.lines), ended.lines["a"].at) == ("virginia", ["a", "b"], 9.0)
        assert ref_of("virginia", ENDPOINT) in refs_of(repo)
        assert REF not in refs_of(repo)


@pytest.mark.slow
def test_what_the_server_got_under_the_old_name_meanwhile_comes_along(repo: Repo, other: Repo) -> None:
    """And a target that is renamed back has its chain back."""
    with records_of(repo) as mine, records_of(other) as theirs:
        base = mine.write(record(line("a")), "x")
        mine.push("origin", [base])
        theirs.fetch("origin")
        theirs.push("origin", [theirs.write(base.with_lines({"b": line("b")}), "under the old name")])
        moved = mine.write(base._replace(target="virginia", renamed_from="us-east-1"), "renamed")
        (pushed,) = mine.push("origin", [moved])
        assert (pushed.target, sorted(pushed.lines)) == ("virginia", ["a", "b"])
        assert refs_of(server_of(repo)) == refs_of(repo) == [ref_of("virginia", ENDPOINT)]
        back = mine.write(pushed._replace(target="us-east-1", renamed_from="virginia"), "renamed back")
        mine.push("origin", [back])
        assert refs_of(server_of(repo)) == refs_of(repo) == [REF]
        theirs.fetch("origin")
        assert theirs.all() == (back,)


def test_a_targets_record_is_its_own_or_the_one_that_nobody_claims() -> None:
    """Same endpoint, same key, only one: else nothing is taken along. Sandboxes and real ones never mix."""
    old, elsewhere = record(line("a"), target="old"), record(line("b"), target="old", endpoint="https://eu.example.com")
    sandboxed = record(line("s"), target="old", endpoint="sandbox:old")
    every, key = (old, elsewhere, sandboxed), "MOMENTO_API_KEY"
    now = [("new", ENDPOINT)]
    assert claim(every, "old", ENDPOINT, key, [*now, ("old", ENDPOINT)]) == old
    assert claim(every, "new", ENDPOINT, key, now) == old._replace(target="new", renamed_from="old")
    assert claim(every, "new", ENDPOINT, key, [*now, ("old", ENDPOINT)]) is None
    assert claim(every, "new", ENDPOINT, "MOMENTO_OTHER", now) is None
    assert claim((*every, record(target="older")), "new", ENDPOINT, key, now) is None
    assert claim(every, "new", "sandbox:new", key, [("new", "sandbox:new")]) is None
    assert unclaimed(every, now) == (old, elsewhere)
    assert unclaimed(every, []) == (old, elsewhere)
    assert unclaimed(every, [("new", "sandbox:new")]) == (sandboxed,)


def test_an_embedded_sandboxes_record_stays_here(repo: Repo) -> None:
    """It is pushed nowhere, not even beside another."""
    with records_of(repo) as records:
        sandboxed = records.write(record(line("a"), endpoint="sandbox:us-east-1"), "x")
        real = records.write(record(line("a")), "x")
        assert records.push("origin", [sandboxed]) == (sandboxed,)
        assert refs_of(server_of(repo)) == []
        assert records.push("origin", [sandboxed, real]) == (sandboxed, real)
        assert refs_of(server_of(repo)) == [REF]
        assert {one.endpoint for one in records.all()} == {ENDPOINT, "sandbox:us-east-1"}


def test_a_fetch_takes_the_place_of_nothing_whatever_the_remote_is_set_to(repo: Repo, other: Repo) -> None:
    """A remote that maps all refs by force would have put the server's record in the place of ours."""
    repo.git("config", "--add", "remote.origin.fetch", "+refs/*:refs/*")
    with records_of(repo) as mine, records_of(other) as theirs:
        theirs.push("origin", [theirs.write(record(line("b")), "x")])
        mine.write(record(line("a")), "not pushed yet")
        mine.fetch("origin")
        (found,) = mine.all()
    assert sorted(found.lines) == ["a", "b"]


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--depth=1", "--filter=blob:none", "--filter=tree:0", "--mirror", "--no-checkout"])
def test_a_shallow_or_partial_clone_has_the_whole_record(repo: Repo, tmp_path: Path, option: str) -> None:
    """Its chain is fetched whole, and the clone is as shallow, and has the same refs, as before."""
    with records_of(repo) as records:
        first = records.write(record(line("a")), "x")
        second = records.write(first.with_lines({"b": line("b")}), "x")
        records.push("origin", [second])
    if option == "--mirror":
        bare = server_of(repo).clone(tmp_path / "bare", option)
        clone = Repo.new(tmp_path / "clone")
        for setting, value in (("url", bare.git("config", "remote.origin.url")), ("fetch", "+refs/*:refs/*")):
            clone.git("config", f"remote.origin.{setting}", value)
        clone.git("config", "remote.origin.mirror", "true")
        clone.commit({"a": "b"})
    else:
        clone = server_of(repo).clone(tmp_path / "clone", option)
    clone.git("checkout", "--quiet", "--detach")
    (clone.folder / ".git/FETCH_HEAD").unlink(missing_ok=True)
    before = clone.git("for-each-ref")
    with records_of(clone) as records:
        records.fetch("origin")
        assert records.all() == (second,)
        third = records.write(second.with_lines({"a": None}), "x")
        assert records.push("origin", [third]) == (third,)
    assert not (clone.folder / ".git/FETCH_HEAD").exists()
    clone.git("update-ref", "-d", REF)
    assert clone.git("for-each-ref") == before
    assert server_of(repo).git("rev-parse", REF) == third.commit
    assert server_of(repo).git("rev-list", "--count", REF) == "3"


@pytest.mark.slow
def test_no_hook_runs_no_tag_comes_along_and_nobody_is_asked(repo: Repo, other: Repo, tmp_path: Path) -> None:
    """Push and fetch write the record's refs alone, whatever the configuration says."""
    ran = script(tmp_path / "ran.sh", f"touch {tmp_path}/ran")
    for hook in ("pre-push", "reference-transaction", "post-merge", "pre-auto-gc"):
        script(repo.folder / ".git/hooks" / hook, f"touch {tmp_path}/ran")
    settings = {
        "push.followTags": "true",
        "remote.origin.tagOpt": "--tags",
        "fetch.prune": "true",
        "push.gpgSign": "if-asked",
    }
    for key, value in (settings | {"core.askPass": ran, "commit.gpgSign": "true", "gpg.program": ran}).items():
        repo.git("config", key, value)
    repo.git("-c", "tag.gpgSign=false", "tag", "--annotate", "v1", "--message", "v1")
    server_of(repo).git("tag", "v2", "main")
    (tmp_path / "ran").unlink(missing_ok=True)
    with records_of(repo) as records, records_of(other) as others:
        records.push("origin", [records.write(record(line("a")), "x")])
        others.push("origin", [others.write(record(line("b")), "x")])
        records.fetch("origin")
        assert records.all() == others.all()
    assert not (tmp_path / "ran").exists()
    assert (repo.git("tag"), server_of(repo).git("tag")) == ("v1", "v2")


def test_what_a_server_refuses_is_told_in_its_words_with_the_remedy(repo: Repo, tmp_path: Path) -> None:
    """No such remote, no server, no permission, no credentials; never a password in it. The record stays as it was."""
    repo.git("remote", "add", "gone", f"file://{tmp_path}/nowhere")
    repo.git("remote", "add", "asks", "https://user:secret@127.0.0.1:1/x")
    script(tmp_path / "server/hooks/pre-receive", "echo refs/reconciler is protected; exit 1")
    with records_of(repo) as records:
        written = records.write(record(line("a")), "x")
        told = {}
        for name in ("upstream", "--all", "gone", "asks", "origin"):
            with pytest.raises(GitError) as caught:
                records.push(name, [written])
            told[name] = (caught.value.message, caught.value.remedy)
        assert records.all() == (written,)
    assert told["upstream"] == (
        "there is no remote 'upstream' here: git knows asks, gone, origin",
        "name another with --remote, or `git remote add` it",
    )
    assert told["--all"][0] == "there is no remote '--all' here: git knows asks, gone, origin"
    assert "does not appear to be a git repository" in told["gone"][0]
    assert told["gone"][1] == "try `git fetch gone` by hand"
    assert "unable to access 'https://127.0.0.1:1/x/'" in told["asks"][0]
    assert "secret" not in repr(told)
    assert told["origin"][0].startswith("git push origin failed: [remote rejected] (pre-receive hook declined)")
    assert "refs/reconciler is protected" in told["origin"][0]
    assert told["origin"][1] == (
        "it takes permission to write refs/reconciler/*: in a workflow, `permissions: contents: write`; on GitLab, "
        "a token with the scope `write_repository` and the role Developer"
    )


@pytest.mark.slow
def test_what_cant_be_read_is_never_taken_and_never_written_over(repo: Repo, other: Repo) -> None:
    """A newer format, damage, a ref copied by hand: by name, and both sides stay as they were."""
    with records_of(repo) as mine, records_of(other) as theirs:
        base = mine.write(record(line("a")), "x")
        mine.push("origin", [base])
        theirs.fetch("origin")
        for damage in (b'{"format": 2}\n', b"{}\n"):
            header = other.git("hash-object", "-w", "--stdin", given=damage)
            lines = other.git("rev-parse", f"{base.commit}:{CLUSTERS_FILE}")
            tree = other.git(
                "mktree", given=f"100644 blob {lines}\t{CLUSTERS_FILE}\n100644 blob {header}\ttarget.json\n".encode()
            )
            bad = other.git("commit-tree", "-p", str(base.commit), "-m", "x", tree)
            other.git("push", "--quiet", "--force", "origin", f"{bad}:{REF}")
            with pytest.raises(GitError, match=f"the record {REF} is (of format 2|damaged: target.json)"):
                mine.fetch("origin")
            with pytest.raises(GitError, match=f"the record {REF} is (of format 2|damaged: target.json)"):
                mine.push("origin", [mine.write(base.with_lines({"b": line("b")}), "x")])
            assert server_of(repo).git("rev-parse", REF) == bad
        repo.git("update-ref", f"{RECORDS}copy-00000000", str(base.commit))
        with pytest.raises(GitError, match="copy-00000000 holds the record of another target, us-east-1 at https"):
            mine.all()
        repo.git("update-ref", f"{RECORDS}copy-00000000", repo.head)
        with pytest.raises(GitError, match=r"the record .*copy-00000000 can't be read: git doesn't have"):
            mine.all()


@pytest.mark.slow
def test_where_it_cant_be_written_that_is_told(repo: Repo) -> None:
    """A repository that is read-only: the record stays as it was, and reading goes on."""
    with records_of(repo) as records:
        written = records.write(record(line("a")), "x")
        (repo.folder / f".git/{REF}.lock").touch()
        with pytest.raises(GitError, match="the record can't be written: ") as caught:
            records.write(written.with_lines({"b": line("b")}), "x")
        assert caught.value.remedy is not None
        assert "make it writable" in caught.value.remedy
        assert records.all() == (written,)


class FullDisk(GitCommand):
    """A git that finds no room for what it is to write; it answers so whatever it is asked."""

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        reach: Reach = "local",
        ask_anyway: bool = False,
    ) -> GitOutput:
        del arguments, given, reach, ask_anyway
        return GitOutput(128, b"", f"fatal: unable to write loose object file: {self.environment['WHY']}\n")


@pytest.mark.parametrize("why", ["No space left on device", "Disk quota exceeded"])
def test_a_full_disk_takes_room_and_no_permission(repo: Repo, why: str) -> None:
    """As git says it, wherever the record's objects and refs are written."""
    git = Git.open(str(repo.folder))
    assert git is not None
    git.command = FullDisk(git.command.folder, git.command.git_dir, {"WHY": why})
    with pytest.raises(GitError, match=why) as caught:
        git.write_commit({"a": b"1"}, [], "x")
    git.close()
    assert caught.value.remedy == "the record is kept in the repository's .git: make room there, and run again"


@pytest.mark.slow
def test_ten_thousand_clusters_are_one_blob(repo: Repo) -> None:
    """However large the fleet is, a write makes one blob of lines, a header, a tree and a commit."""
    with records_of(repo) as records:
        large = record(*(line(f"n{number:05}") for number in range(10_000)))
        before = int(repo.git("count-objects").split()[0])
        written = records.write(large, "x")
        assert int(repo.git("count-objects").split()[0]) - before == 4
        assert records.read("us-east-1", ENDPOINT) == written
        assert len(written.lines) == 10_000


@pytest.mark.parametrize("ended", ["\u2028", "\u2029", "\x85"])
def test_a_ref_whose_name_holds_a_line_separator_takes_no_others_place(repo: Repo, other: Repo, ended: str) -> None:
    """Here or on the server it is told by its own name, and what to take away is that one."""
    with records_of(repo) as records:
        good = records.write(record(line("a")), "us-east-1: 1 applied")
        bad = records.write(record(line("b"), line("c"))._replace(target="x"), "x: 2 applied")
        records.push("origin", [good])
        assert bad.commit is not None
        repo.git("update-ref", f"{REF}{ended}x", bad.commit)
        with pytest.raises(GitError) as caught:
            records.all()
        name = f"{REF}{ended.encode('unicode_escape').decode()}x"
        assert printable(caught.value.message).startswith(f"{name} holds the record of another target, x at ")
        assert records.read("us-east-1", ENDPOINT) == good
    repo.git("push", "--quiet", "origin", f"{REF}{ended}x")
    with records_of(other) as theirs, pytest.raises(GitError, match="holds the record of another target, x at "):
        theirs.fetch("origin")
    assert REF not in refs_of(other) or other.git("rev-parse", REF) == good.commit


def test_a_folder_where_a_file_belongs_is_no_empty_record(repo: Repo) -> None:
    """Nor is a tree that is none."""
    with records_of(repo) as records:
        good = records.write(record(line("a")), "us-east-1: 1 applied")
    header = repo.git("rev-parse", f"{good.commit}:target.json")
    empty = repo.git("mktree", given=b"")
    entries = f"040000 tree {empty}\tclusters.jsonl\n100644 blob {header}\ttarget.json\n"
    tree = repo.git("mktree", given=entries.encode())
    repo.git("update-ref", REF, repo.git("commit-tree", tree, "-m", "hostile"))
    with records_of(repo) as records, pytest.raises(GitError, match=r"clusters\.jsonl is no file, but a tree"):
        records.all()


@pytest.mark.parametrize("kind", ["blob", "tree", "tag"])
def test_a_ref_that_points_to_no_commit_is_told_as_what_it_is(repo: Repo, other: Repo, kind: str) -> None:
    """At once, here and on a server, whether it is read or written; what was there stays."""
    with records_of(repo) as records:
        good = records.write(record(line("a")), "us-east-1: 1 applied")
        records.push("origin", [good])
    with records_of(other) as theirs:
        theirs.fetch("origin")
    wrong = other.git("rev-parse", f"{REF}^{{tree}}" if kind == "tree" else f"{REF}:target.json")
    if kind == "tag":
        other.git("tag", "-a", "-m", "x", "x", str(good.commit))
        wrong = other.git("rev-parse", "x")
    other.git("update-ref", REF, wrong)
    other.git("push", "--quiet", "--force", "origin", f"{wrong}:{REF}")
    with records_of(repo) as records, pytest.raises(GitError) as caught:
        records.fetch("origin")
    assert (caught.value.message, caught.value.remedy) == (
        f"{REF} of origin is no commit, but a {kind}",
        f"was it written by hand? `git push origin ':{REF}'` takes it away",
    )
    assert repo.git("rev-parse", REF) == good.commit
    server_of(repo).git("update-ref", REF, str(good.commit))
    changed = good.with_lines({"b": line("b")})
    with records_of(other) as theirs:
        for told in (theirs.all, lambda: theirs.write(changed, "x"), lambda: theirs.fetch("origin")):
            with pytest.raises(GitError) as caught:
                told()
            assert (caught.value.message, caught.value.remedy) == (
                f"{REF} of this clone is no commit, but a {kind}",
                f"was it written by hand? `git update-ref -d {REF}` takes it away",
            )
    assert other.git("rev-parse", REF) == wrong


@pytest.mark.parametrize("moment", ["9" * 400, "9" * 14])
def test_a_commit_of_no_moment_is_of_none(repo: Repo, moment: str) -> None:
    """Whoever writes a commit writes its moment, too: one that no clock has can't be told."""
    with records_of(repo) as records:
        good = records.write(record(line("a")), "us-east-1: 1 applied")
    said = repo.git("cat-file", "commit", str(good.commit)) + "\n"
    odd = re.sub(r"> \d+ ", f"> {moment} ", said).encode()
    sha = repo.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=odd)
    repo.git("update-ref", REF, sha)
    with records_of(repo) as records:
        (found,) = records.all()
        assert [one.at for one in records.applies(found, 1)] == [0.0]
