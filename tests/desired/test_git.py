"""How git is asked: of every kind of repository, and so that nothing is changed, run or fetched."""

import os
import shutil
from pathlib import Path

import pytest

from reconciler.desired.git import Git, Touched
from reconciler.desired.lookup import HIDDEN, PARTIAL, SHALLOW, Repository
from reconciler.desired.revision import Tree
from reconciler.errors import GitError
from tests.desired.repositories import ENDPOINT, EVENT, FIRST, REF, Repo, evidence, git_of, opened, text

HOSTILE = [b"a b.yaml", b"li\nne.yaml", b'qu"ote.yaml', b"\xff\xfe.yaml", b"\x01.yaml", b":(top)x.yaml", b"-n.yaml"]


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder: its bytes, and when it was written."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def script(path: Path, command: str) -> str:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return str(path)


def ask_all(repo: Repo) -> Repository:
    """Ask for all that a plan and an apply ask for."""
    with opened(repo, "HEAD~1") as repository:
        said = evidence(repository, ["orders"], ["gone"])
        assert said.of("orders").base is not None
        assert said.unproven is repository.unproven is None
        repository.refuse_stale(ENDPOINT, "default")
        assert list(repository.head_tree().names()) == ["manifests/orders.yaml"]
    return repository


def test_nothing_is_written_and_nobodys_program_is_run(tmp_path: Path) -> None:
    """Reading leaves every file as it was, the index too; an apply adds its ref and that ref's log, and no hook runs."""
    repo = Repo.new(tmp_path / "r")
    repo.commit({"manifests/orders.yaml": text("orders"), "manifests/gone.yaml": text("gone")})
    head = repo.commit({"manifests/orders.yaml": text("orders", 3), "manifests/gone.yaml": None})
    ran = script(tmp_path / "ran.sh", f"echo ran >> {tmp_path}/ran")
    for hook in ("post-index-change", "reference-transaction"):
        shutil.copy(ran, repo.folder / ".git/hooks" / hook)
    repo.git("config", "core.fsmonitor", ran)
    repo.git("config", "core.untrackedCache", "true")
    repo.git("config", "diff.external", ran)
    os.utime(repo.folder / "manifests/orders.yaml", (FIRST, FIRST))  # a status would like to note that in the index
    (tmp_path / "ran").unlink(missing_ok=True)
    before = everything(repo.folder)
    ask_all(repo)
    assert everything(repo.folder) == before
    with opened(repo) as repository:
        assert not repository.dirty
        assert repository.say_applied(ENDPOINT, "default")
    after = everything(repo.folder)
    assert sorted(after.keys() - before.keys()) == [f"{repo.folder}/.git/{name}" for name in (f"logs/{REF}", REF)]
    assert {path: after[path] for path in before} == before
    assert repo.git("rev-parse", REF) == head
    assert not (tmp_path / "ran").exists()
    repo.git("status")
    assert (tmp_path / "ran").exists()  # as git itself would have it


@pytest.mark.parametrize("kept_back", ["blob:none", "tree:0"])
def test_a_partial_clone_fetches_nothing(tmp_path: Path, kept_back: str) -> None:
    """What was left on the server stays there: no causes, no ownership, a plan all the same."""
    source = Repo.new(tmp_path / "source")
    source.commit({"manifests/orders.yaml": text("orders")})
    source.commit({"manifests/orders.yaml": text("orders", 3)})
    clone = source.clone(tmp_path / "clone", f"--filter={kept_back}")
    clone.git("config", "remote.origin.uploadpack", script(tmp_path / "asked.sh", f"touch {tmp_path}/asked; exit 1"))
    with opened(clone, "HEAD~1") as repository:
        said = evidence(repository, ["orders"])
    assert (said.clusters, said.unproven, said.warnings) == (None, PARTIAL, (f"no causes: {PARTIAL}",))
    with opened(clone) as repository:
        assert evidence(repository, ["orders"]).of("orders").base is not None
        assert repository.unproven == PARTIAL
    assert not (tmp_path / "asked").exists()
    with pytest.raises(AssertionError):
        clone.git("show", "HEAD~1")
    assert (tmp_path / "asked").exists()  # as git itself would have it


def test_a_shallow_clone_gives_what_it_has(tmp_path: Path) -> None:
    """Base is read, history isn't guessed at, and the remedy is named."""
    source = Repo.new(tmp_path / "source")
    source.commit({"manifests/orders.yaml": text("orders")})
    source.commit({"manifests/orders.yaml": text("orders", 3)})
    with opened(source.clone(tmp_path / "clone", "--depth=1")) as repository:
        said = evidence(repository, ["orders"])
    assert said.unproven == SHALLOW
    assert said.of("orders").base is not None
    assert said.of("orders").history == ()


def test_neither_the_environment_nor_replaced_objects_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook's variables, replace refs and grafts change no answer."""
    repo = Repo.new(tmp_path / "r")
    first = repo.commit({"manifests/orders.yaml": text("orders"), "manifests/gone.yaml": text("gone")})
    second = repo.commit({"manifests/gone.yaml": None})
    third = repo.commit({"manifests/orders.yaml": text("orders", 4)})
    repo.git("replace", second, first)
    (repo.folder / ".git/info/grafts").write_text(f"{third} {first}\n")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "0")
    monkeypatch.setenv("GIT_TRACE", "1")
    with opened(repo) as repository:
        history = evidence(repository, ["orders"], ["gone"]).of("gone").history
    assert [revision.commit for revision in history] == [second, first]


@pytest.mark.parametrize("shape", ["plain", "sha256", "worktree", "submodule", "link", "detached", "packed"])
def test_every_kind_of_repository_reads_alike(tmp_path: Path, shape: str) -> None:
    """SHA-256, a second work tree, a submodule, a link to the folder, a detached HEAD: the same evidence."""
    repo = Repo.new(tmp_path / "r", *(["--object-format=sha256"] if shape == "sha256" else []))
    first = repo.commit({"deep/manifests/orders.yaml": text("orders"), "deep/manifests/gone.yaml": text("gone")})
    removing = repo.commit({"deep/manifests/gone.yaml": None, "elsewhere.yaml": text("gone", 9)})
    folder = repo.folder / "deep/manifests"
    if shape == "worktree":
        repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "second"))
        folder = tmp_path / "second/deep/manifests"
    elif shape == "submodule":
        outer = Repo.new(tmp_path / "outer")
        outer.git("submodule", "--quiet", "add", f"file://{repo.folder}", "inner")
        folder = outer.folder / "inner/deep/manifests"
    elif shape == "link":
        folder = tmp_path / "link"
        folder.symlink_to(repo.folder / "deep/manifests")
    elif shape == "detached":
        repo.git("checkout", "--quiet", "--detach")
    elif shape == "packed":
        repo.git("gc", "--quiet")
        repo.git("commit-graph", "write", "--reachable", "--changed-paths")
    with opened(Repo(folder), folder=".") as repository:
        assert (repository.dirty, repository.unproven, repository.head.parents) == (False, None, (first,))
        said = evidence(repository, ["orders"], ["gone"])
        assert repository.say_applied(ENDPOINT, "default")
    declaration = said.of("orders").base
    assert declaration is not None
    assert declaration.file == "manifests/orders.yaml"
    assert [(r.commit, bool(r.before), bool(r.after)) for r in said.of("gone").history] == [
        (removing, True, False),
        (first, False, True),
    ]
    assert Repo(folder).git("rev-parse", REF) == removing


def test_where_there_is_no_git_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository, no commit yet, a bare one, git's own folder, no git on the PATH or one that can't be run: None."""
    repo = Repo.new(tmp_path / "r")
    (tmp_path / "r/manifests").mkdir()
    assert Repository.open(str(repo.folder / "manifests"), "manifests", None, EVENT) is None
    repo.commit({"manifests/a.yaml": text("a")})
    Repo.new(tmp_path / "bare", "--bare")
    (tmp_path / "alone").mkdir()
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost/.git").write_text(f"gitdir: {tmp_path}/nowhere\n")
    assert [Git.open(str(tmp_path / name)) for name in ("alone", "bare", "lost", "r/.git")] == [None] * 4
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert Git.open(str(repo.folder)) is None
    (tmp_path / "bin/git").write_text("not to be run")
    assert Git.open(str(repo.folder)) is None


def test_a_repository_that_git_refuses_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    """Not the same as none: somebody else's, one with a broken configuration, one that lost objects."""
    repo = Repo.new(tmp_path / "r")
    repo.commit({"manifests/a.yaml": text("a")})
    folder = str(repo.folder / "manifests")
    if os.geteuid() == 0:
        os.chown(repo.folder, 12345, 12345)
        with pytest.raises(GitError, match="belongs to somebody else") as caught:
            Git.open(folder)
        assert caught.value.remedy == f"git config --global --add safe.directory {repo.folder}"
        os.chown(repo.folder, 0, 0)
    lost = repo.git("rev-parse", "HEAD:manifests/a.yaml")
    blob = repo.folder / f".git/objects/{lost[:2]}/{lost[2:]}"
    blob.chmod(0o644)
    blob.write_bytes(b"damaged")
    with opened(repo) as repository, pytest.raises(GitError, match=f"git doesn't have {lost} here") as caught:
        evidence(repository, ["a"])
    assert caught.value.remedy == "look with `git fsck`; clone the whole of it anew"
    (repo.folder / ".git/config").write_text("[core")
    with pytest.raises(GitError, match="bad config line"):
        Git.open(folder)


def test_hostile_names_of_revisions_name_nothing(tmp_path: Path) -> None:
    """What can't be a name is none, whatever it holds; the next answer is still the right one."""
    repo = Repo.new(tmp_path / "r")
    first = repo.commit({"a.yaml": text("a")})
    with git_of(repo.folder) as git:
        for hostile in (
            "",
            "x\ny",
            "HEAD\nHEAD",
            "HEAD\0",
            "-x",
            "--all",
            ":a.yaml",
            ":/",
            "\ud800",
            "\udcff",
            "z" * 9999,
        ):
            assert git.commit(hostile) is None, hostile
            head = git.commit("HEAD")
            assert head is not None
            assert head.sha == first
        assert git.commit("HEAD:a.yaml") is None
        for branch in ("-x", "hä", 'q"', "main.lock.d", os.fsdecode(b"\xff")):
            repo.git("update-ref", f"refs/heads/{branch}", first)
            assert git.commit(branch) == git.commit("HEAD"), branch


def test_hostile_paths_are_read_as_any_other(tmp_path: Path) -> None:
    """Spaces, line breaks, quotes, bytes that are no UTF-8, pathspec magic: in files, in trees and in the history."""
    repo = Repo.new(tmp_path / "r")
    folder = b":(exclude)m *\xff"
    repo.commit({b"%s/%s" % (folder, name): f"name: n{i}\r\n" for i, name in enumerate(HOSTILE)})
    second = repo.commit({b"%s/%s" % (folder, name): None for name in HOSTILE} | {"other.yaml": "x"})
    with git_of(repo.folder / os.fsdecode(folder)) as git:
        names = sorted(os.fsdecode(b"%s/%s" % (folder, name)) for name in HOSTILE)
        assert git.prefix == os.fsdecode(folder) + "/"
        assert list(git.files("HEAD", git.prefix)) == []
        assert sorted(git.files("HEAD^", git.prefix)) == names
        assert Tree(git, "HEAD^", "manifests").names() == [
            "manifests/\x01.yaml",
            "manifests/-n.yaml",
            "manifests/:(top)x.yaml",
            "manifests/\\xff\\xfe.yaml",
            "manifests/a b.yaml",
            "manifests/li\nne.yaml",
            'manifests/qu"ote.yaml',
        ]
        newest = list(git.log("HEAD", git.prefix))[-1]
        assert (newest.sha, sorted(touched.path for touched in newest.touched)) == (second, names)
        assert not git.dirty()
        (repo.folder / os.fsdecode(folder) / "new").mkdir()
        (repo.folder / os.fsdecode(folder) / "new" / "l\nm.yaml").touch()
        assert git.dirty()
    (repo.folder / "li\nne").mkdir()
    with pytest.raises(GitError, match="line"):
        Git.open(str(repo.folder / "li\nne"))


def test_only_regular_files_are_manifests_and_the_log_is_git_logs(
    tmp_path: Path,
) -> None:
    """A file that became a link is gone, one that became executable unchanged; configuration changes no answer."""
    repo = Repo.new(tmp_path / "r")
    first = repo.commit({"m/a.yaml": "a", "m/b.yaml": "b", "top.yaml": "t"})
    (repo.folder / "m/a.yaml").unlink()
    (repo.folder / "m/a.yaml").symlink_to("b.yaml")
    (repo.folder / "m/b.yaml").chmod(0o755)
    second = repo.commit({"top.yaml": "u"})
    repo.on("side", first)
    repo.commit({"m/c.yaml": "c"})
    repo.git("checkout", "--quiet", "main")
    merge = repo.record("merge", "--quiet", "--no-ff", "--no-edit", "side")
    repo.commit({"top.yaml": "v"})
    for setting in ("log.follow=true", "log.showSignature=true", "diff.renames=copies", "log.diffMerges=off"):
        repo.git("config", *setting.split("="))
    a, b, c = (repo.git("rev-parse", f"{where}.yaml") for where in (f"{first}:m/a", f"{first}:m/b", "HEAD:m/c"))
    with git_of(repo.folder / "m") as git:
        log = list(git.log("HEAD", git.prefix))
        assert list(git.files("HEAD", "m/")) == ["m/b.yaml", "m/c.yaml"]
    assert [(e.sha, e.parent, e.touched) for e in log] == [
        (first, None, (Touched("m/a.yaml", None, a), Touched("m/b.yaml", None, b))),
        (second, first, (Touched("m/a.yaml", a, None),)),
        (merge, second, (Touched("m/c.yaml", None, c),)),
    ]
    assert [(e.at - FIRST) / 86400 for e in log] == [1, 2, 4]


def test_thousands_of_folders_and_files_are_read_without_waiting_for_each_other(tmp_path: Path) -> None:
    """However many are asked for, neither side fills a pipe that the other doesn't empty."""
    repo = Repo.new(tmp_path / "r")
    files = b"".join(b"M 644 inline m/%d/a.yaml\ndata 5\nx: %02d\n" % (i, i % 100) for i in range(4000))
    repo.git("fast-import", "--quiet", given=b"commit refs/heads/main\ncommitter A <a> 1 +0000\ndata 0\n" + files)
    with git_of(repo.folder) as git:
        found = git.files("HEAD", "m/")
        assert len(found) == 4000
        assert sum(len(data) for data in git.blobs(found.values())) == 20000


def test_what_differs_from_head_is_dirty(tmp_path: Path) -> None:
    """Changed, staged, untracked, ignored, hidden by a sparse checkout: each; line ends that git converts are none."""
    repo = Repo.new(tmp_path / "r")
    repo.commit({"manifests/a.yaml": text("a"), "manifests/b/b.yaml": text("b"), ".gitignore": "*.tmp.yaml\n"})
    (repo.folder / ".git/info/attributes").write_text("*.yaml text eol=crlf\n")
    repo.write({"manifests/a.yaml": None, "outside.yaml": "x"})
    repo.git("checkout", "--quiet", "--", "manifests")
    assert b"\r\n" in (repo.folder / "manifests/a.yaml").read_bytes()

    def dirty() -> bool:
        with opened(repo) as repository:
            return repository.dirty

    assert not dirty()
    for name in ("c.yaml", "c.tmp.yaml", "b/b.yaml"):
        repo.write({f"manifests/{name}": "changed"})
        assert dirty(), name
        repo.git("clean", "-xdfq", "manifests")
        repo.git("checkout", "--quiet", "--", "manifests")
    repo.git("rm", "--quiet", "--cached", "manifests/a.yaml")
    assert dirty()
    repo.git("reset", "--quiet")
    assert not dirty()
    repo.git("sparse-checkout", "set", "--no-cone", "/manifests/a.yaml")
    assert not (repo.folder / "manifests/b").exists()
    with opened(repo) as repository:
        assert (repository.dirty, repository.unproven) == (True, HIDDEN)
