"""Where a pod finds its cluster's API server, whom it trusts there, and who it is."""

import ipaddress
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from reconciler.errors import CredentialsError, UsageError
from reconciler.model.secret import ApiKey

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where every pod that is given one has it."""

SERVICE_ACCOUNT_VARIABLE = "RECONCILER_SERVICE_ACCOUNT"

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"({_LABEL})/({_LABEL}(?:\.{_LABEL})*)")
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LARGEST_PORT = 65535
_LARGEST_TOKEN = 64 * 1024
"""Bytes; a service account's has about a thousand."""


class LeaseName(NamedTuple):
    """Which lease."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class ApiServer(NamedTuple):
    """The cluster's API server; `certificates` is the file of whom to trust there."""

    address: str
    certificates: str
    token_file: Path

    def token(self) -> ApiKey:
        """The service account's token as it is now: it is replaced within the hour. Raises CredentialsError."""
        try:
            data = _read(self.token_file).strip()
        except OSError as error:
            remedy = "give the pod a service account: automountServiceAccountToken: true"
            raise CredentialsError(
                f"the token {self.token_file} can't be read: {error.strerror}", remedy=remedy
            ) from error
        if not 0 < len(data) <= _LARGEST_TOKEN or any(not 0x21 <= byte <= 0x7E for byte in data):
            raise CredentialsError(f"the token {self.token_file} is none", remedy="give the pod a service account")
        return ApiKey(data.decode())


def lease_name(text: str) -> LeaseName:
    """Of `NAMESPACE/NAME`. Raises UsageError for what can't be one."""
    found = _NAME.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} names no lease", remedy="give --lease NAMESPACE/NAME, such as fleet/reconciler")
    return LeaseName(found[1], found[2])


def api_server(environment: Mapping[str, str]) -> ApiServer:
    """The API server of the cluster that this process is a pod of. Raises UsageError where it is in none."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST", ""), environment.get("KUBERNETES_SERVICE_PORT", "")
    folder = Path(environment.get(SERVICE_ACCOUNT_VARIABLE) or SERVICE_ACCOUNT)
    if not host or not port:
        raise UsageError(
            "--lease is for a pod of a Kubernetes cluster, and KUBERNETES_SERVICE_HOST and _PORT are not set",
            remedy="run it in a cluster; or leave --lease out, and run one replica",
        )
    located = _in_url(host)
    if located is None or not _PORT.fullmatch(port) or int(port) > _LARGEST_PORT:
        raise UsageError(
            "KUBERNETES_SERVICE_HOST and _PORT are no host and no port", remedy="leave them as Kubernetes sets them"
        )
    return ApiServer(f"https://{located}:{port}", str(folder / "ca.crt"), folder / "token")


def _in_url(host: str) -> str | None:
    """A host as an address has it; None for what is none."""
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host if _HOST.fullmatch(host) else None


def _read(file: Path) -> bytes:
    """A file's bytes, no more than a token may have and one; nothing is waited for. Raises OSError."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _LARGEST_TOKEN + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
