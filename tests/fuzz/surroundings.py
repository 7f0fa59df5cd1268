"""The environment: variables, what a workflow says of itself, event files, options as people write them."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from hypothesis import strategies as st

from reconciler.clock import format_duration, parse_duration
from reconciler.errors import ReconcilerError
from reconciler.event import WorkflowEvent
from reconciler.forge.run import ForgeName
from reconciler.forge.workflow import Workflow, read_token
from reconciler.live.credentials import check_key
from reconciler.model.endpoint import normalize_endpoint
from reconciler.model.text import printable
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.switches import Switches
from tests.fuzz.subject import JSON_WORDS, VALUES, WORDS, Subject, altered, damaged, told

_EVENTS = [
    {"before": "a" * 40, "repository": {"default_branch": "main"}},
    {"pull_request": {"number": 7, "base": {"ref": "main", "sha": "b" * 40}, "head": {"sha": "c" * 40}}},
    {"issue": {"number": 9, "pull_request": {"url": "x"}}, "merge_group": {"base_sha": "d" * 40}},
]
_URLS = (
    "https://api.github.com",
    "http://127.0.0.1:1/x",
    "http://example.com",
    "https://[::1",
    "https://u:p@h/",
    "h:99999",
)
_texts = st.sampled_from(
    [*WORDS, *_URLS, "owner/name", "refs/heads/main", "refs/pull/7/merge", "a" * 40, "push"]
) | st.text(st.characters(exclude_characters="\0"))
_VARIABLES = (
    *("GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_EVENT_NAME", "GITHUB_REF", "GITHUB_SHA"),
    *("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_CI", "GITLAB_TOKEN", "CI_API_V4_URL", "CI_PROJECT_PATH"),
    *("CI_PIPELINE_SOURCE", "CI_MERGE_REQUEST_IID", "CI_COMMIT_BEFORE_SHA", "CI_COMMIT_BRANCH"),
)
_environments = st.dictionaries(st.sampled_from(_VARIABLES), _texts)
_events = damaged([b"{}"], JSON_WORDS) | altered(_EVENTS)


def _refused(read: Callable[[], object]) -> None:
    try:
        read()
    except ReconcilerError as error:
        told(error)


def _shown(why: str) -> None:
    assert printable(why)


def check_workflow(data: tuple[Mapping[str, str], bytes]) -> None:
    """What isn't set right is told by the variable's name; a token never is."""
    variables, event = data
    with TemporaryDirectory() as folder:
        file = Path(folder, "event.json")
        file.write_bytes(event)
        environment = {**variables, "GITHUB_EVENT_PATH": str(file)}
        _refused(lambda: Workflow.read(environment))
        for name in get_args(ForgeName):
            _refused(partial(read_token, environment, name))
        _refused(lambda: WorkflowEvent.read(environment))


def check_texts(text: str) -> None:
    """Options that are no options say why, in words that are fit to be shown; what they are, they stay."""
    _refused(lambda: check_key(text, "MOMENTO_API_KEY"))
    for read in (normalize_endpoint, parse_duration, Faults.parse, lambda one: Switches.parse([one])):
        try:
            value = read(text)
        except ValueError as error:
            _shown(str(error))
            continue
        if isinstance(value, str):
            assert normalize_endpoint(value) == value
        if isinstance(value, float):
            assert format_duration(value)


_COMMANDS = (
    "validate",
    "plan --offline",
    "plan --sandbox",
    "schema",
    "record",
    "comment x.json",
)
_OPTIONS = (
    *(
        "MANIFESTS",
        "TARGET",
        "ONLY",
        "API_KEY_FILE",
        "SANDBOX",
        "FORMAT",
        "LOG_LEVEL",
        "LOG_FORMAT",
    ),
    *("BASE", "PRUNE", "REMOTE", "INTERVAL", "TIMEOUT", "CONCURRENCY", "OUT", "DETAILED_EXITCODE", "QUIET", "NO_COLOR"),
)
_settings = st.dictionaries(
    st.sampled_from(
        [*(f"RECONCILER_{option}" for option in _OPTIONS), *_VARIABLES, "MOMENTO_API_KEY", "COLUMNS", "LANG"]
    ),
    _texts.map(lambda text: text.encode(errors="replace").replace(b"\0", b"").decode())
    | st.sampled_from(["json", "sarif", "1", "0", "true", "5m", "owned", "/", "."]),
    max_size=6,
)


def check_command(data: tuple[str, Mapping[str, str]]) -> None:
    """A command that connects to nothing ends in one of its codes, without a traceback, whatever its variables hold."""
    command, variables = data
    with TemporaryDirectory() as folder:
        Path(folder, "manifests").mkdir()
        outside = {"PATH": os.environ["PATH"], "HOME": folder}
        ended = subprocess.run(
            [sys.executable, "-m", "reconciler", *command.split()],
            cwd=folder,
            env={**outside, **variables},
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    assert ended.returncode in {0, 1, 2, 3, 4, 5, 64}, ended.stderr.decode(errors="replace")
    assert b"Traceback" not in ended.stderr


SUBJECTS: tuple[Subject[Any], ...] = (
    Subject("workflow", st.tuples(_environments, _events | VALUES.map(repr).map(lambda one: one.encode(errors="replace"))), check_workflow),
    Subject("options", _texts | damaged([b"500=0.1,latency=5ms", b"1h30m", b"https://api.example.com/x"], _URLS).map(
        lambda one: one.decode(errors="replace")), check_texts),
    Subject("commands", st.tuples(st.sampled_from(_COMMANDS), _settings), check_command, 50),
)  # fmt: skip
