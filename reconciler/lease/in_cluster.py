"""Where a pod finds its cluster's API server, whom it trusts there, and who it is."""

import ipaddress
import re
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
            text = self.token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not a token"
            remedy = "give the pod a service account: automountServiceAccountToken: true"
            raise CredentialsError(f"the token {self.token_file} can't be read: {why}", remedy=remedy) from error
        if not text or any(not 0x21 <= ord(character) <= 0x7E for character in text):
            raise CredentialsError(f"the token {self.token_file} is none", remedy="give the pod a service account")
        return ApiKey(text)


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
    return ApiServer(f"https://{_in_url(host)}:{port}", str(folder / "ca.crt"), folder / "token")


def _in_url(host: str) -> str:
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host
