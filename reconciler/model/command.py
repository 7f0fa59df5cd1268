"""Commands that a message names: each can be pasted into a shell as it stands, and does what the message is of."""

import re
from collections.abc import Sequence
from typing import Final

from reconciler.model.text import printable

DEFAULT_FOLDER: Final = "manifests"
_LONGEST_WORD: Final = 255
_WORD: Final = re.compile(r"[A-Za-z0-9._/-][A-Za-z0-9._~/-]*")


def command_word(text: str) -> str:
    """A text as one word of a command that somebody copies into a shell: nothing in it is carried out."""
    if _WORD.fullmatch(text):
        return text
    return "'" + printable(text, _LONGEST_WORD).replace("'", "'\\''") + "'"


def option_words(option: str, values: Sequence[str]) -> tuple[str, ...]:
    """An option with each of its values: `--only=a --only='b*'`."""
    return tuple(f"--{option}={command_word(value)}" for value in values)


def folder_words(folder: str) -> tuple[str, ...]:
    """Where the manifests are, if that has to be said."""
    return option_words("manifests", [folder] if folder not in {"", DEFAULT_FOLDER} else [])


def record_command(
    name: str, *names: str, folder: str = "", target: str | None = None, remote: str | None = None
) -> str:
    """A command on the record of the folder's repository, and of one target or with one remote where that is named."""
    chosen = (*option_words("target", [target] if target else []), *option_words("remote", [remote] if remote else []))
    return " ".join(("reconciler record", name, *map(command_word, names), *folder_words(folder), *chosen))
