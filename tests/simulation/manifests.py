"""The files that people edit: a manifest a cluster, in a folder an account, and the fleet file that names the targets.

An account is what it is for good: a key, a service, a folder. The target that stands for it may be renamed, and may go.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, assert_never

from tests.simulation.repository import Files
from tests.simulation.story import ACCOUNTS, Declare, Edit, Fleet, Move, Remove

FLEET_FILE = "manifests/fleet.yaml"
KEYS: Mapping[str, str] = {account: f"sandbox-admin:secret-of-{account}" for account in ACCOUNTS}
PLAIN: Mapping[str, Any] = {
    "node_instance_type": "m6g.large",
    "shard_count": 1,
    "replication_factor": 1,
    "enforce_shard_multi_az": False,
}
_SETTINGS: Mapping[str, str] = {"us": "max_failures: 3", "eu": "canary: 1, concurrency: 1, rate: 10"}
_TARGET = re.compile(r"  (\w+): \{manifests: (\w+),")


def host_of(account: str, *, shared: bool) -> str:
    """Where an account is reached; two may share an endpoint, each with a key of its own."""
    return f"{ACCOUNTS[0] if shared else account}.momentohq.com"


def key_variable(account: str) -> str:
    """The environment variable that has an account's key."""
    return f"MOMENTO_{account.upper()}"


def fleet_file(names: Mapping[str, str], *, shared: bool) -> bytes:
    """The fleet file where the accounts' targets are called so."""
    lines = (
        f"  {name}: {{manifests: {account}, endpoint: https://{host_of(account, shared=shared)}, "
        f"api_key_env: {key_variable(account)}, {_SETTINGS[account]}}}\n"
        for account, name in names.items()
    )
    return f"targets:\n{''.join(lines)}".encode()


def targets_in(files: Files) -> dict[str, str]:
    """What the accounts' targets are called."""
    return {account: name for name, account in _TARGET.findall(files[FLEET_FILE].decode())}


def path_of(account: str, name: str) -> str:
    """Where a cluster is declared."""
    return f"manifests/{account}/{name}.yaml"


def manifest(name: str, fields: Mapping[str, Any]) -> bytes:
    """A manifest, a key a line."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in {"name": name, **fields}.items()).encode()


def edited(files: Files, edit: Edit, *, shared: bool) -> Files:
    """The files after an edit. Nothing is declared for an account that has no target: that would be an error."""
    match edit:
        case Declare():
            if edit.target not in targets_in(files):
                return files
            return {**files, path_of(edit.target, edit.name): manifest(edit.name, edit.fields)}
        case Remove():
            return {path: data for path, data in files.items() if path != path_of(edit.target, edit.name)}
        case Move():
            was, to = path_of(edit.target, edit.name), path_of(edit.to_target, edit.to_name)
            if was not in files or was == to or edit.to_target not in targets_in(files):
                return files
            moved = files[was].replace(f'name: "{edit.name}"'.encode(), f'name: "{edit.to_name}"'.encode())
            return {**{path: data for path, data in files.items() if path != was}, to: moved}
        case Fleet():
            stay = {path: data for path, data in files.items() if path.split("/")[1] in edit.names}
            return {**stay, FLEET_FILE: fleet_file(edit.names, shared=shared)}
        case unreachable:
            assert_never(unreachable)
