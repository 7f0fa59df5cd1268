"""A forge whole enough for the workflows: the fake GitHub, or Gitea, its artifacts, and a private repository over HTTP."""

import json
import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

from tests.forge.fake_forge import Reply
from tests.forge.fake_github import INSTALLATION, REPOSITORY, FakeGitHub

WHO = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in
       {"NAME": "A User", "EMAIL": "user@example.com"}.items()}  # fmt: skip
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
GIT_CREDENTIALS = "basic " + b64encode(f"x-access-token:{INSTALLATION}".encode()).decode()
BLOBS = "/blobs/"
HERE, A_FORK = 1, 2
"""Numbers of repositories."""


def git(folder: Path, *arguments: str) -> str:
    """What git prints, by nobody's configuration."""
    ended = subprocess.run(
        ["git", *arguments], cwd=folder, env={**ALONE, **WHO}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


class Hub(FakeGitHub):
    """Its repository is `origin`; whoever reaches it over HTTP needs the token, once.

    `may_push`: whether the token of the job that is running may write contents. `refused` are git's requests that were.
    `heeds_permissions`: a workflow says so; Forgejo, and Gitea before 1.26, lets every job push but a fork's.
    """

    def __init__(self, folder: Path, *, gitea: bool = False) -> None:
        super().__init__(gitea=gitea)
        self.heeds_permissions = not gitea
        self.folder = folder
        self.origin = folder / REPOSITORY
        self.origin.mkdir(parents=True)
        git(self.origin, "init", "--quiet", "--bare", "--initial-branch=main")
        self.artifacts: list[dict[str, Any]] = []
        self.git_url = ""
        self.refused: list[str] = []
        self.may_push = False
        self.keeps_old_artifacts_alone = False

    def git_status(self, sent: Sequence[str], *, pushes: bool) -> int:
        """What git is answered: 200 to whom sends the token exactly once, and may do it."""
        if [*sent] != [GIT_CREDENTIALS]:
            return 400 if len(sent) > 1 else 401
        return 403 if pushes and not self.may_push else 200

    @contextmanager
    def open(self) -> Iterator["Hub"]:
        """Serve both."""
        with ExitStack() as stack:
            stack.enter_context(self.serve())
            self.git_url = stack.enter_context(serve_git(self))
            yield self

    def merged(self, number: int, head: str, commit: str) -> None:
        """Say that a pull request was merged as this commit."""
        self.pull_request(commit, number)
        pull = self.pulls[commit][-1]
        pull["head"] = {**pull.get("head", {}), "sha": head}

    def keep(self, name: str, file: Path, head: str, repository: int) -> None:
        """Take an artifact of a run."""
        number = len(self.artifacts) + 500
        run = {"id": number, "head_sha": head, "head_repository_id": repository, "repository_id": HERE}
        self.artifacts.append(
            {
                "id": number,
                "name": name,
                "expired": False,
                "workflow_run": run,
                "file": file.name,
                "bytes": file.read_bytes(),
            }
        )

    def recorded(self) -> dict[str, dict[str, str]]:
        """The commit from which each cluster was last applied, by target, as the records say."""
        return recorded(self.origin)

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """One exchange; artifacts are ours, the rest is the fake's."""
        url = urlsplit(target)
        path = url.path.removeprefix(f"{self.prefix}/repos/{REPOSITORY}/actions/artifacts")
        if path.startswith(BLOBS):
            return self._blob(int(path.removeprefix(BLOBS)), headers)
        if path == url.path:
            return super().handle(method, target, headers, body)
        assert headers["Authorization"] == f"Bearer {INSTALLATION}"
        if path:
            return 302, {"Location": f"{self.url.removesuffix(self.prefix)}{BLOBS}{path.split('/')[1]}"}, b""
        [name] = parse_qs(url.query)["name"]
        found = [{key: value for key, value in artifact.items() if key not in {"bytes", "file"}}
                 for artifact in self.artifacts if artifact["name"] == name]  # fmt: skip
        answer = json.dumps({"total_count": len(found), "artifacts": found}).encode()
        return 200, {"Content-Type": "application/json"}, answer

    def _blob(self, number: int, headers: dict[str, str]) -> Reply:
        """An artifact's files, where the forge keeps them: somebody else's host, to which no token goes."""
        if "Authorization" in headers:
            self.complaints.append("the token went where the files are")
        packed = BytesIO()
        [artifact] = [one for one in self.artifacts if one["id"] == number]
        with ZipFile(packed, "w") as files:
            files.writestr(artifact["file"], artifact["bytes"])
        return 200, {"Content-Type": "application/zip"}, packed.getvalue()


class GitHost(Protocol):
    """Whose repositories, below `folder`, are served; `refused` are the requests that were."""

    folder: Path
    refused: list[str]

    def git_status(self, sent: Sequence[str], *, pushes: bool) -> int:
        """What whoever sends these credentials is answered."""
        ...


@contextmanager
def serve_git(host: GitHost) -> Iterator[str]:
    """On loopback; the address that the repositories are below."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _git_handler(host))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def recorded(origin: Path) -> dict[str, dict[str, str]]:
    """The commit from which each cluster was last applied, by target, as a repository's records say."""
    refs = git(origin, "for-each-ref", "--format=%(refname)", "refs/reconciler/record").split()
    lines = {ref: git(origin, "show", f"{ref}:clusters.jsonl").splitlines() for ref in refs}
    return {
        json.loads(git(origin, "show", f"{ref}:target.json"))["target"]: {
            line["name"]: line["commit"] for line in map(json.loads, lines[ref])
        }
        for ref in refs
    }


def _git_handler(hub: GitHost) -> type[BaseHTTPRequestHandler]:
    """Speaks git's smart protocol by git's own program."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sent = self.headers.get_all("Authorization") or []
            status = hub.git_status(sent, pushes="git-receive-pack" in self.path)
            if status != 200:
                self.refuse(status)
                return
            environment = {
                **ALONE,
                "GIT_PROJECT_ROOT": str(hub.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "x-access-token",
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            command = ["git", "http-backend"]
            ended = subprocess.run(command, input=body, env=environment, capture_output=True, check=True)
            head, _, content = ended.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  # the name is http.server's

        def refuse(self, status: int) -> None:
            hub.refused.append(f"{status} {urlsplit(self.path).path}")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
