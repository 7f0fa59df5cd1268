"""How git is asked: of every kind of repository, and so that nothing is changed, run or fetched."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.errors import GitError
from reconciler.evidence.discovery import find_repository
from reconciler.evidence.git import Git, RefUpdate
from reconciler.evidence.process import GitCommand, git_environment
from reconciler.evidence.walk import Touched
from tests.evidence.asking import is_dirty
from tests.evidence.repositories import FIRST, Repo, git_of, script, text

HOSTILE = [b"a b.yaml", b"li\nne.yaml", b'qu"ote.yaml', b"\xff\xfe.yaml", b"\x01.yaml", b":(top)x.yaml", b"-n.yaml"]
REF = "refs/reconciler/record/default-12345678"


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder: its bytes, and when it was written."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def ask_all(git: Git) -> list[str]:
    """Ask for all that a plan and an apply ask for; the commits of the folder's history."""
    head = git.commit("HEAD")
    assert head is not None
    is_dirty(git)
    git.branch()
    assert (git.partial, git.hides_files) == (False, False)
    assert len(list(git.blobs(git.files("HEAD", git.prefix).values()))) > 0
    assert git.is_ancestor(head.parents[0], head.sha)
    assert not git.is_ancestor(head.sha, head.parents[0])
    return [entry.sha for entry in git.log("HEAD", git.prefix).entries]


def two_commits(folder: Path, *options: str) -> tuple[Repo, list[str]]:
    repo = Repo.new(folder, *options)
    first = repo.commit({"manifests/orders.yaml": text("orders"), "manifests/gone.yaml": text("gone")})
    return repo, [first, repo.commit({"manifests/orders.yaml": text("orders", 3), "manifests/gone.yaml": None})]


def test_nothing_is_written_and_nobodys_program_is_run(tmp_path: Path) -> None:
    """Reading leaves every file as it was, the index too; a write adds objects and its ref; no program of it runs.

    Not a hook, a filter, a monitor, an external diff, a text conversion, a pager: each is set, and git alone runs them.
    """
    repo, commits = two_commits(tmp_path / "r")
    ran = script(tmp_path / "ran.sh", f"echo ran >> {tmp_path}/ran; cat")
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc"):
        shutil.copy(ran, repo.folder / ".git/hooks" / hook)
    repo.write({".gitattributes": "*.yaml filter=x diff=x\n"})
    for setting in ("core.fsmonitor", "diff.external", "filter.x.clean", "filter.x.process", "diff.x.textconv"):
        repo.git("config", setting, ran)
    for setting in ("diff.x.command", "core.pager", "core.alternateRefsCommand", "core.askPass", "core.editor"):
        repo.git("config", setting, ran)
    repo.git("config", "core.untrackedCache", "true")
    os.utime(repo.folder / "manifests/orders.yaml", (FIRST, FIRST))  # a status would like to note that in the index
    (tmp_path / "ran").unlink(missing_ok=True)
    before = everything(repo.folder)
    with git_of(repo.folder / "manifests") as git:
        assert ask_all(git) == commits
        assert not is_dirty(git)
        assert everything(repo.folder) == before
        made = git.write_commit({"a": b"1", "b": b"2"}, [], "message")
        assert git.move([RefUpdate(REF, None, made)])
    after = everything(repo.folder)
    new = sorted(path for path in after.keys() - before.keys() if "/objects/" not in path)
    assert new == [f"{repo.folder}/.git/{REF}"]
    assert {path: after[path] for path in before} == before
    assert not (tmp_path / "ran").exists()
    repo.git("hash-object", "--path=manifests/orders.yaml", "manifests/orders.yaml")
    assert (tmp_path / "ran").exists()  # as git itself would have it


@pytest.mark.slow
def test_a_tree_that_names_another_again_and_again_has_an_end(tmp_path: Path) -> None:
    """A few objects would be more files than anybody could list."""
    repo, _ = two_commits(tmp_path / "r")
    below = repo.git("hash-object", "-w", "manifests/orders.yaml").strip()
    kind = "100644 blob"
    for _ in range(7):
        entries = "".join(f"{kind} {below}\t{name}.yaml\n" for name in "abcdefghij")
        below, kind = repo.git("mktree", given=entries.encode()).strip(), "040000 tree"
    commit = repo.git("commit-tree", "-m", "bomb", below).strip()
    with git_of(repo.folder / "manifests") as git, pytest.raises(GitError, match="has more than 300000 files"):
        git.files(commit, "")


def test_a_git_beside_what_is_asked_about_is_not_run(tmp_path: Path) -> None:
    """A PATH with a folder that isn't absolute would mean another one there."""
    repo, _ = two_commits(tmp_path / "r")
    ran = script(repo.folder / "git", f"echo ran >> {tmp_path}/ran; exit 1")
    environment = {**os.environ, "PATH": f".::{os.environ['PATH']}"}
    assert os.access(ran, os.X_OK)
    found = find_repository(str(repo.folder / "manifests"), environment)
    assert found is not None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("where", ["", "manifests/", "manifests/deep/"])
def test_tracked_files_that_look_like_a_repository_are_none(tmp_path: Path, where: str) -> None:
    """A pull request can't put itself in the place of the repository, nor have its commands run."""
    repo, commits = two_commits(tmp_path / "r")
    ran = script(tmp_path / "ran.sh", f"touch {tmp_path}/ran; cat")
    evil = f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n[filter "x"]\n\tclean = {ran}\n'
    up = "../" * (where.count("/"))
    repo.write(
        {
            f"{where}HEAD": f"{commits[0]}\n",
            f"{where}config": evil,
            f"{where}refs/.keep": "",
            f"{where}objects/info/alternates": f"{up or './'}../.git/objects\n",
            f"{where}.gitattributes": "*.yaml filter=x\n",
        }
    )
    shutil.copy(repo.folder / ".git/index", repo.folder / where / "index")
    head = repo.commit({"manifests/deep/a.yaml": text("a")})
    clone = repo.clone(tmp_path / "clone")
    for folder in ("manifests", "manifests/deep", f"{where}refs"):
        with git_of(clone.folder / folder) as git:
            assert (git.root, git.prefix) == (str(clone.folder), f"{folder}/")
            found = git.commit("HEAD")
            assert found is not None
            assert found.sha == head
            assert not is_dirty(git)
            assert ask_all(git) if folder == "manifests" else True
    assert not (tmp_path / "ran").exists()


def test_git_gets_no_keys_and_no_other_repository_and_a_servers_credentials_only_to_speak_to_it() -> None:
    """To read, what it can't do without; to fetch and push, what a credential helper may ask for."""
    ours = {
        "PATH": "/bin", "HOME": "/h", "XDG_CONFIG_HOME": "/x", "GIT_CONFIG_GLOBAL": "/g", "GIT_CONFIG_KEY_0": "a.b",
        "MOMENTO_API_KEY": "k", "MOMENTO_PROD_KEY": "k", "RECONCILER_FORGE_TOKEN": "k", "GIT_DIR": "/d",
        "GIT_INDEX_FILE": "/i", "GIT_TRACE": "1", "GIT_CONFIG": "/c", "SSH_ASKPASS": "/gui", "AWS_SECRET_ACCESS_KEY": "k",
        "GITHUB_TOKEN": "t", "SSH_AUTH_SOCK": "/s", "GIT_SSH_COMMAND": "ssh -i x", "https_proxy": "p", "SSL_CERT_FILE": "f",
        "LC_ALL": "de_DE", "GIT_TERMINAL_PROMPT": "1", "GIT_ASKPASS": "/helper", "GIT_AUTHOR_NAME": "somebody",
    }  # fmt: skip
    reading, speaking = git_environment(ours, "local"), git_environment(ours, "remote")
    shared = {"PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_KEY_0"}
    credentials = {"GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_ASKPASS"}
    assert {key for key, value in reading.items() if ours.get(key) == value} == shared
    assert {key for key, value in speaking.items() if ours.get(key) == value} == shared | credentials | {
        "https_proxy",
        "SSL_CERT_FILE",
    }
    for passed in (reading, speaking):
        assert (passed["LC_ALL"], passed["GIT_TERMINAL_PROMPT"]) == ("C", "0")
        assert "k" not in {passed.get(key) for key in ("MOMENTO_API_KEY", "RECONCILER_FORGE_TOKEN", "MOMENTO_PROD_KEY")}


@pytest.mark.parametrize("kept_back", ["blob:none", "tree:0"])
def test_a_partial_clone_fetches_nothing(tmp_path: Path, kept_back: str) -> None:
    """What was left on the server stays there, and is told as missing."""
    source, commits = two_commits(tmp_path / "source")
    clone = source.clone(tmp_path / "clone", f"--filter={kept_back}")
    clone.git("config", "remote.origin.uploadpack", script(tmp_path / "asked.sh", f"touch {tmp_path}/asked; exit 1"))
    with git_of(clone.folder / "manifests") as git:
        assert git.partial
        assert not is_dirty(git)
        with pytest.raises(GitError, match=r"git (doesn't have|could not read)"):
            list(git.blobs(git.files(commits[0], git.prefix).values()))
    assert not (tmp_path / "asked").exists()
    with pytest.raises(AssertionError):
        clone.git("show", "HEAD~1")
    assert (tmp_path / "asked").exists()  # as git itself would have it


def test_a_shallow_clone_gives_what_it_has(tmp_path: Path) -> None:
    """It says that it is shallow; what was cut off is not known to be an ancestor, and no error."""
    source, commits = two_commits(tmp_path / "source")
    with git_of(source.clone(tmp_path / "clone", "--depth=1").folder) as git:
        assert git.shallow
        assert [entry.sha for entry in git.log("HEAD", "").entries] == commits[1:]
        assert not git.is_known_ancestor(commits[0], commits[1])
        assert git.is_known_ancestor(commits[1], commits[1])


def test_neither_the_environment_nor_replaced_objects_mislead(tmp_path: Path) -> None:
    """A hook's variables, replace refs and grafts change no answer; without a HOME all is as with one."""
    repo, commits = two_commits(tmp_path / "r")
    third = repo.commit({"manifests/orders.yaml": text("orders", 4)})
    repo.git("replace", commits[1], commits[0])
    (repo.folder / ".git/info/grafts").write_text(f"{third} {commits[0]}\n")
    names = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_CONFIG")
    misleading = {name: str(tmp_path / "elsewhere") for name in names} | {"GIT_TRACE": "1"}
    homeless = {name: value for name, value in os.environ.items() if name not in {"HOME", "XDG_CONFIG_HOME"}}
    for environment in ({**os.environ, **misleading, "GIT_LITERAL_PATHSPECS": "0"}, homeless):
        git = Git.open(str(repo.folder / "manifests"), environment)
        assert git is not None
        assert ask_all(git) == [*commits, third]
        git.close()


@pytest.mark.parametrize("shape", ["plain", "sha256", "worktree", "submodule", "link", "detached", "packed"])
def test_every_kind_of_repository_reads_alike(tmp_path: Path, shape: str) -> None:
    """SHA-256, a second work tree, a submodule, a link to the folder, a detached HEAD: the same answers, and writable."""
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
    with git_of(folder) as git:
        assert (git.prefix, is_dirty(git)) == ("deep/manifests/", False)
        assert ask_all(git) == [first, removing]
        path = "deep/manifests/gone.yaml"
        assert list(git.log("HEAD", git.prefix).entries)[1].touched == (
            Touched(path, repo.git("rev-parse", f"{first}:{path}"), None),
        )
        made = git.write_commit({"a": b"1"}, [], "x")
        assert git.move([RefUpdate(REF, None, made)])
        assert (git.ref(REF), git.branch()) == (made, None if shape in {"worktree", "detached"} else "main")
    assert Repo(folder).git("rev-parse", REF) == made


def test_where_there_is_no_git_there_is_none(tmp_path: Path) -> None:
    """No repository, a bare one, git's own folder, a `.git` that leads nowhere, no git on the PATH, or no program."""
    repo = Repo.new(tmp_path / "r")
    Repo.new(tmp_path / "bare", "--bare")
    (tmp_path / "alone").mkdir()
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost/.git").write_text(f"gitdir: {tmp_path}/nowhere\n")
    found = [Git.open(str(tmp_path / name)) for name in ("alone", "bare", "lost", "r/.git", "r/.git/refs", "nowhere")]
    assert found == [None] * 6
    with git_of(repo.folder) as git:
        assert git.commit("HEAD") is None
    (tmp_path / "bin").mkdir()
    nowhere: Mapping[str, str] = {"PATH": str(tmp_path / "bin")}
    assert Git.open(str(repo.folder), nowhere) is None
    (tmp_path / "bin/git").write_text("not to be run")
    assert Git.open(str(repo.folder), nowhere) is None


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
    with git_of(repo.folder) as git, pytest.raises(GitError, match=f"git doesn't have {lost} here") as caught:
        list(git.blobs(git.files("HEAD", "").values()))
    assert caught.value.remedy == "look with `git fsck`; clone all of it again"
    (repo.folder / ".git/config").write_text("[core")
    with pytest.raises(GitError, match="bad config line"):
        Git.open(folder)


def test_a_blob_of_any_size_takes_no_more_than_was_asked_for(tmp_path: Path) -> None:
    """And the next answer is the next blob's."""
    repo = Repo.new(tmp_path / "r")
    repo.commit({"a.yaml": "x" * 300_000, "b.yaml": "y"})
    with git_of(repo.folder) as git:
        blobs = list(git.files("HEAD", "").values())
        assert list(git.blobs(blobs, 10)) == [b"x" * 11, b"y"]
        waiting = git.blobs(blobs)
        assert len(next(waiting)) == 300_000
        with pytest.raises(RuntimeError, match="asked before the last answers were taken"):
            git.commit("HEAD")


def test_a_git_that_was_stopped_is_no_damage(tmp_path: Path) -> None:
    """Whoever stops it, the word is to run it again; a Ctrl-C that is meant for us doesn't reach it at all."""
    repo, commits = two_commits(tmp_path / "r")
    (tmp_path / "bin").mkdir()
    git_itself = shutil.which("git")
    stopped = script(tmp_path / "bin/git", f'case "$*" in *{{rev-parse}}*) exec {git_itself} "$@";; esac; kill -INT $$')
    Path(stopped).write_text(Path(stopped).read_text().replace("{rev-parse}", "rev-parse"))
    git = Git.open(str(repo.folder), {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert git is not None
    for ask in (
        lambda: git.commit("HEAD"),
        git.branch,
        lambda: git.merge_base(*commits),
        lambda: list(git.log("HEAD", "").entries),
    ):
        with pytest.raises(GitError) as caught:
            ask()
        assert caught.value.remedy == "git was stopped by another program: run it again"
    with git_of(repo.folder) as sound:
        assert sound.commit("HEAD") is not None
        process = sound._objects._process  # which session it is in can't be seen from outside
        assert process is not None
        assert os.getsid(process.pid) != os.getsid(0)


def test_a_git_that_never_ends_is_ended(tmp_path: Path) -> None:
    """A server that doesn't answer, a disk that isn't there: an error in the end, and no process is left."""
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin/git", f"echo $$ > {tmp_path}/pid; sleep 600 & wait")
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    command = GitCommand(str(tmp_path), None, environment, seconds={"local": 600.0, "remote": 0.5})
    with pytest.raises(GitError, match=r"git fetch took more than 0\.5 seconds"):
        command.run("fetch", reach="remote")
    for started in tmp_path.glob("pid"):  # on a busy machine it may not have come so far
        assert_ended(int(started.read_text()))


def test_what_is_stopped_in_the_middle_leaves_no_process(tmp_path: Path) -> None:
    """A Ctrl-C ends the git that is asked, and what that has started."""
    repo, _ = two_commits(tmp_path / "r")
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin/git", f"echo $$ > {tmp_path}/pid; sleep 600 & wait")
    program = (
        "import sys; from reconciler.evidence.process import GitCommand; import os\n"
        f"GitCommand({str(repo.folder)!r}, None, {{**os.environ, 'PATH': {str(tmp_path / 'bin')!r} + ':/usr/bin:/bin'}}).run('status')"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as asking:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
            assert asking.poll() is None
        stat = Path(f"/proc/{asking.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "S":  # until it waits for git
            assert asking.poll() is None
        asking.send_signal(signal.SIGINT)
        asking.communicate()
    assert_ended(int((tmp_path / "pid").read_text()))


def assert_ended(group: int) -> None:
    """Nothing of a process group lives; who was killed may take a moment to die."""
    looks = (any(_group_of(stat) == group for stat in Path("/proc").glob("[0-9]*/stat")) for _ in range(500))
    assert not all(looks)


def _group_of(stat: Path) -> int | None:
    """The process group of a living process."""
    try:
        state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return None
    return None if state == "Z" else int(group)


def test_hostile_names_of_revisions_name_nothing(tmp_path: Path) -> None:
    """What can't be a name is none, whatever it holds; the next answer is still the right one."""
    repo = Repo.new(tmp_path / "r")
    first = repo.commit({"a.yaml": text("a")})
    names = ["", "x\ny", "HEAD\nHEAD", "HEAD\0", "-x", "--all", ":a.yaml", ":/", "\ud800", "\udcff", "z" * 9999]
    with git_of(repo.folder) as git:
        for hostile in names:
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
        newest = list(git.log("HEAD", git.prefix).entries)[-1]
        assert (newest.sha, sorted(touched.path for touched in newest.touched)) == (second, names)
        assert not is_dirty(git)
        (repo.folder / os.fsdecode(folder) / "new").mkdir()
        (repo.folder / os.fsdecode(folder) / "new" / "l\nm.yaml").touch()
        assert is_dirty(git)
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
        log = list(git.log("HEAD", git.prefix).entries)
        assert list(git.files("HEAD", "m/")) == ["m/b.yaml", "m/c.yaml"]
    assert log == [
        (first, (Touched("m/a.yaml", None, a), Touched("m/b.yaml", None, b))),
        (second, (Touched("m/a.yaml", a, None),)),
        (merge, (Touched("m/c.yaml", None, c),)),
    ]


def test_thousands_of_folders_and_files_are_read_without_waiting_for_each_other(tmp_path: Path) -> None:
    """However many are asked for, neither side fills a pipe that the other doesn't empty."""
    repo = Repo.new(tmp_path / "r")
    head = b"commit refs/heads/main\ncommitter A <a> %d +0000\ndata 0\n"
    files = b"".join(b"M 644 inline m/%d/a.yaml\ndata 5\nx: %02d\n" % (i, i % 100) for i in range(4000))
    commits = b"".join(head % i + b"M 644 inline m/a\ndata 9\n%09d\n" % i for i in range(1, 3000))
    repo.git("fast-import", "--quiet", given=commits + head % 3000 + files)
    with git_of(repo.folder) as git:
        found = git.files("HEAD", "m/")
        assert len(found) == 4001
        assert sum(len(data) for data in git.blobs(found.values())) == 20009
        assert len(list(git.log("HEAD", "m/").entries)) == 3000


@pytest.mark.slow
def test_names_of_a_tree_are_text_as_those_of_a_folder_are() -> None:
    """In any locale: one that isn't UTF-8 reads them otherwise, and both must be the same file."""
    program = (
        "import os; from reconciler.evidence.objects import Object, tree_entries\n"
        "name = 'caf\\xe9.yaml'.encode()\n"
        "(entry,) = tree_entries(Object('0' * 40, 'tree', b'100644 ' + name + bytes(21)))\n"
        "assert entry.name == os.fsdecode(name) != 'caf\\xe9.yaml'\n"
    )
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_what_differs_from_head_is_dirty(tmp_path: Path) -> None:
    """A manifest that is changed, missing, untracked, ignored, a link, or hidden by a sparse checkout or by a flag.

    Line ends that git converts are none, either way; nor is what is no manifest, nor what only the index says.
    """
    repo = Repo.new(tmp_path / "r")
    repo.commit({"m/a.yaml": text("a"), "m/b/b.yaml": text("b"), ".gitignore": "*.tmp.yaml\n", "m/README": "x"})
    repo.git("config", "core.autocrlf", "true")
    repo.write({"m/a.yaml": None, "outside.yaml": "x", "m/README": "y", "m/.a.yaml.swp": "x", "m/.h/a.yaml": "x"})
    repo.git("checkout", "--quiet", "--", "m/a.yaml")
    assert b"\r\n" in (repo.folder / "m/a.yaml").read_bytes()

    def dirty() -> bool:
        with git_of(repo.folder / "m") as git:
            return is_dirty(git)

    assert not dirty()
    for name in ("c.yaml", "c.tmp.yaml", "b/b.yaml", "new/c.yml"):
        repo.write({f"m/{name}": "changed"})
        with git_of(repo.folder / "m") as git:
            assert is_dirty(git)
        repo.git("clean", "-xdfq", "m")
        repo.git("checkout", "--quiet", "--", "m")
    repo.git("rm", "--quiet", "--cached", "m/a.yaml")
    assert not dirty()
    repo.git("reset", "--quiet")
    repo.git("update-index", "--assume-unchanged", "m/a.yaml")
    repo.write({"m/a.yaml": text("a", 9)})
    with git_of(repo.folder / "m") as git:
        assert (is_dirty(git), git.hides_files) == (True, True)
    (repo.folder / "m/a.yaml").unlink()
    (repo.folder / "m/a.yaml").symlink_to("b/b.yaml")
    assert dirty()
    repo.git("update-index", "--no-assume-unchanged", "m/a.yaml")
    repo.git("reset", "--quiet", "--hard")
    repo.commit({"m/a.yaml": text("a").replace("\n", "\r\n")})
    (repo.folder / "m/a.yaml").write_text(text("a"))
    assert not dirty()
    repo.git("reset", "--quiet", "--hard")
    repo.git("sparse-checkout", "set", "--no-cone", "/m/a.yaml")
    assert not (repo.folder / "m/b").exists()
    with git_of(repo.folder / "m") as git:
        assert (is_dirty(git), git.hides_files) == (True, True)


def test_refs_are_moved_all_or_none_and_only_from_where_they_were(tmp_path: Path) -> None:
    """Compare and swap: False where another was faster; an error where it can't be written, with the remedy."""
    repo, _ = two_commits(tmp_path / "r")
    with git_of(repo.folder) as git:
        one, other = (git.write_commit({"a": data}, [], "x") for data in (b"1", b"2"))
        assert git.move([RefUpdate(REF, None, one), RefUpdate(f"{REF}0", None, one)])
        assert not git.move([RefUpdate(f"{REF}0", one, None), RefUpdate(REF, other, None)])
        assert not git.move([RefUpdate(REF, None, other)])
        assert git.refs("refs/reconciler/") == {REF: one, f"{REF}0": one}
        assert git.move([RefUpdate(REF, one, other), RefUpdate(f"{REF}0", one, None)])
        assert git.refs("refs/reconciler/") == {REF: other}
        (repo.folder / ".git/refs/blocked").write_text("")
        with pytest.raises(GitError, match="the record can't be written: ") as caught:
            git.move([RefUpdate("refs/blocked/x", None, one)])
    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("the record is kept in the repository's .git: make it writable")


@pytest.mark.parametrize("damaged", [b"garbage", b"100644 a\x00short", b"40000\x00" + b"x" * 20])
def test_a_tree_that_is_none_is_told(tmp_path: Path, damaged: bytes) -> None:
    """Whoever pushes to a server that looks at nothing pushes what he likes."""
    repo = Repo.new(tmp_path / "repo")
    tree = repo.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=damaged)
    head = f"tree {tree}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nm\n".encode()
    sha = repo.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=head)
    with git_of(repo.folder) as git, pytest.raises(GitError):
        git.files(sha, "")
