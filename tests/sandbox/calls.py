"""Requests as a client without any cleverness sends them, and the real command to send them to."""

import http.client
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BODY = {"node_instance_type": "m6g.large", "shard_count": 1, "replication_factor": 0, "enforce_shard_multi_az": False}
"""The least that PUT takes."""

JSON = {"Content-Type": "application/json"}
SECONDS = 20
"""What takes longer hangs."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)

    @property
    def told(self) -> tuple[int, str]:
        """Status and message of a refusal, which has nothing else."""
        message: str = self.json.pop("message")
        assert self.json == {"message": message}
        return self.status, message


def call(
    url: str,
    method: str,
    path: str,
    body: object = None,
    *,
    key: str | None = "sandbox-admin",
    headers: Mapping[str, str] = JSON,
) -> Answer:
    """One request on a connection of its own. `body`: bytes go as they are, all else as JSON."""
    base = urlsplit(url)
    connection = _connection(base.scheme, base.netloc)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body)
    try:
        connection.request(method, base.path + path, data, {**headers, **({"Authorization": key} if key else {})})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def _connection(scheme: str, where: str) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(where, timeout=SECONDS)
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(where, timeout=SECONDS, context=unverified)


@contextmanager
def served(
    folder: Path, *options: str, variables: Mapping[str, str] = {}
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`reconciler sandbox` over the folder's store: the process and its base URL. It ends silently, if it must."""
    command = [sys.executable, "-m", "reconciler", "sandbox", "--port", "0", "--data", str(folder / "s.db"), *options]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECONCILER_")}
    environment = {**inherited, **variables}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
        assert process.communicate(timeout=SECONDS) == ("", "")
