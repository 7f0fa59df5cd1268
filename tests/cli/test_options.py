"""What the command line asks for can be asked for again."""

import shlex

import pytest

from reconciler.cli.options import RunOptions
from reconciler.cli.plan import command
from reconciler.cli.settings import Settings

BARE = RunOptions("manifests", (), (), None, None, None, sandbox=False)


def parsed(line: str) -> RunOptions:
    """What click makes of the words after `reconciler plan`."""
    given = command.make_context("plan", shlex.split(line)).params
    own = {*Settings._fields, "detailed_exitcode", "offline"}
    return RunOptions(**{name: value for name, value in given.items() if name not in own})


@pytest.mark.parametrize(
    "asked",
    [
        BARE,
        BARE._replace(manifests="infra/it's all", targets=("eu", "us"), only=("a", "b*"), sandbox=True),
        BARE._replace(endpoint="https://api.cache.example.com", api_key_file="/run/key", remote="origin", base="main"),
        BARE._replace(region="us-east-1", prune="owned", adopt=("*",), replace=("a", "$(b)"), allow=("stale-head",)),
        BARE._replace(prune="all"),
    ],
)
def test_a_command_that_a_page_names_asks_for_the_same(asked: RunOptions) -> None:
    """Whatever it was called with; and nothing that is so by default."""
    program, name, *words = shlex.split(asked.invocation().command("plan"))
    assert [program, name] == ["reconciler", "plan"]
    assert parsed(shlex.join(words)) == asked
    assert BARE.invocation().command("plan") == "reconciler plan"
