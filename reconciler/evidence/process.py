"""How git is run: on one repository, without prompts, without our keys, and so that nothing of it outlives us.

No hook, filter, file-system monitor, external diff, pager or attribute of a repository gets to run a program: what
could is switched off here, and git is never shown the work tree. It runs in a session of its own, so that a Ctrl-C
that is meant for us doesn't look like a damaged repository.
"""

import errno
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import IO, Literal, NamedTuple, TypeAlias

from reconciler.errors import GitError
from reconciler.model.text import printable

Reach: TypeAlias = Literal["local", "remote"]
"""Whether git may speak to a server."""

SECONDS: Mapping[Reach, float] = {"local": 600.0, "remote": 120.0}
"""Reading a large history takes minutes on a slow disk; a fetch of the record takes a few seconds."""

INTERRUPTED = "git was stopped by another program: run it again"
DAMAGED = "look with `git fsck`; clone all of it again"

_CONFIGURATION = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.alternateRefsCommand", ":"),
    ("core.logAllRefUpdates", "false"),
    ("core.filesRefLockTimeout", "2000"),
    ("diff.ignoreSubmodules", "all"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("i18n.commitEncoding", "UTF-8"),
)
_CONFIGURATION_OF: Mapping[Reach, tuple[tuple[str, str], ...]] = {
    "local": (("protocol.allow", "never"),),
    "remote": (
        ("fetch.writeCommitGraph", "false"),
        ("submodule.recurse", "false"),
        ("push.pushOption", ""),
        ("http.lowSpeedLimit", "1"),
        ("http.lowSpeedTime", "30"),
    ),
}
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "LC_ALL": "C",
    **{f"GIT_{who}_NAME": "reconciler" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "reconciler@localhost" for who in ("AUTHOR", "COMMITTER")},
}
_PROTOCOLS: Mapping[Reach, str] = {
    "local": "none",  # what keeps an older git from fetching lazily
    "remote": "file:git:http:https:ssh",
}

_NEEDED = frozenset({"PATH", "HOME", "USERPROFILE", "USER", "LOGNAME", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH"})
_OF_GIT = re.compile(r"XDG_.*|GIT_CONFIG_.+|GIT_EXEC_PATH")
"""Of git's own variables, those that don't say which repository is meant, or what of it."""

_OF_TRANSPORTS = re.compile(r"GIT_(SSH.*|ASKPASS|SSL_.*|HTTP_.*|PROXY_.*)")
_NEVER = re.compile(r"GIT_.*|SSH_ASKPASS|MOMENTO_.*|RECONCILER_.*")
"""What no git gets to see: our keys, another repository, a program that asks a person."""

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s'\"]+@")
_LAST_BREATH = 5.0
"""Seconds for a git that has closed its output to end."""

_SAID = 500
"""Characters of git's own words that are shown."""


class GitOutput(NamedTuple):
    """How a git ended; a negative code is the signal that ended it."""

    code: int
    out: bytes
    err: str

    @property
    def words(self) -> str:
        """What it says went wrong: one line, harmless, without the credentials of a URL."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip() and not line.startswith("hint:")]
        return without_credentials("; ".join(lines[-4:])) if lines else f"it ended in {self.code}"


@dataclass(frozen=True, slots=True)
class GitCommand:
    """git in a folder, with the environment that it may pick from; `git_dir` is None where git is to look itself.

    `seconds` is how long one may take before it is ended; a reader of a stream isn't timed. `settings` are of git's
    configuration, and count for more than what is there.
    """

    folder: str
    git_dir: str | None
    environment: Mapping[str, str]
    seconds: Mapping[Reach, float] = field(default_factory=lambda: SECONDS)
    settings: tuple[tuple[str, str], ...] = ()

    def run(self, *arguments: str, given: bytes = b"", reach: Reach = "local", ask_anyway: bool = False) -> GitOutput:
        """Run to the end. Raises GitError where git can't be run, was ended, or, unless asked anyway, failed."""
        try:
            with self._started(arguments, reach) as process:
                out, err = process.communicate(given, self.seconds[reach])
        except OSError as error:
            raise GitError(
                f"git can't be run: {error.strerror}", remedy="install git, or put it on the PATH"
            ) from error
        except subprocess.TimeoutExpired as error:
            late = f"git {arguments[0]} took more than {self.seconds[reach]:g} seconds"
            raise GitError(late, remedy="try it by hand; is the server, or the disk, there?") from error
        finished = GitOutput(process.returncode, out, err.decode(errors="replace"))
        if finished.code < 0:
            raise _ended(arguments[0], finished.code)
        if finished.code != 0 and not ask_anyway:
            raise GitError(f"git {arguments[0]} failed: {finished.words}")
        return finished

    def stream(self, *arguments: str, given: bytes, chunk: int = 1 << 16) -> Iterator[bytes]:
        """What git says, up to each NUL, while it is still busy with the rest."""
        with self._started(arguments, "local", errors=subprocess.DEVNULL) as process:
            feeding = Thread(target=_feed, args=(process.stdin, given), daemon=True)
            feeding.start()
            rest = b""
            while data := process.stdout.read(chunk) if process.stdout else b"":
                *whole, rest = (rest + data).split(b"\x00")
                yield from whole
            feeding.join()
        if process.returncode < 0:
            raise _ended(arguments[0], process.returncode)
        if process.returncode != 0:
            raise GitError(f"git {arguments[0]} failed: it ended in {process.returncode}", remedy=DAMAGED)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start one that is asked again and again. Raises OSError."""
        return self._popen(arguments, "local", subprocess.DEVNULL)

    @contextmanager
    def _started(
        self, arguments: tuple[str, ...], reach: Reach, errors: int = subprocess.PIPE
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """One that is ended, with all that it started, where we don't get to its end."""
        with self._popen(arguments, reach, errors) as process:
            try:
                yield process
                process.wait()
            finally:
                end(process)

    def _popen(self, arguments: tuple[str, ...], reach: Reach, errors: int) -> "subprocess.Popen[bytes]":
        settings = (*_CONFIGURATION, *_CONFIGURATION_OF[reach], *self.settings)
        return subprocess.Popen(
            [
                _program(self.environment),
                "--no-pager",
                "--literal-pathspecs",
                *([f"--git-dir={self.git_dir}"] if self.git_dir is not None else []),
                *(part for name, value in settings for part in ("-c", f"{name}={value}")),
                *arguments,
            ],
            cwd=self.folder,
            env=git_environment(self.environment, reach),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )


def _program(environment: Mapping[str, str]) -> str:
    """Where git is: never looked for beside what it is asked about. Raises FileNotFoundError."""
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("git", path=os.pathsep.join(folder for folder in folders if os.path.isabs(folder)))  # noqa: PTH117
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "git")
    return found


def git_environment(ours: Mapping[str, str], reach: Reach) -> dict[str, str]:
    """What git gets to know.

    To read, what it can't do without. To speak to a server, all that a credential helper may ask for, save the keys of
    the service: which helper is run, the user's own configuration says, and no file of the repository.
    """
    kept = {key: value for key, value in ours.items() if _is_passed(key, reach)}
    return {**kept, **_ENVIRONMENT, "GIT_ALLOW_PROTOCOL": _PROTOCOLS[reach]}


def _is_passed(key: str, reach: Reach) -> bool:
    if key in _NEEDED or _OF_GIT.fullmatch(key):
        return True
    return reach == "remote" and bool(_OF_TRANSPORTS.fullmatch(key) or not _NEVER.fullmatch(key))


def without_credentials(text: str) -> str:
    """Words of git that hold no user and password of a URL, and steer nothing."""
    return printable(_CREDENTIALS.sub("", text), _SAID)


def text_lines(data: bytes) -> list[str]:
    """Lines of git's output. A ref's name may hold what Python, too, would end a line at: U+2028, U+0085."""
    return os.fsdecode(data.removesuffix(b"\n")).split("\n") if data else []


def exit_code(process: "subprocess.Popen[bytes]") -> int:
    """How one ended that says nothing any more; 0 where it hasn't."""
    try:
        return process.wait(_LAST_BREATH)
    except subprocess.TimeoutExpired:
        return 0


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a git, and whatever it started, at once; nothing where it has ended."""
    if process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    process.wait()


def _feed(stream: IO[bytes] | None, given: bytes) -> None:
    """Write all of it, as far as it is read."""
    if stream is not None:
        with suppress(OSError):
            stream.write(given)
        with suppress(OSError):
            stream.close()


def _ended(what: str, code: int) -> GitError:
    return GitError(f"git {what} was ended by signal {-code}", remedy=INTERRUPTED)
