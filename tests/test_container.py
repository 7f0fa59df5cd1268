"""The container is what its first line says, as far as that can be seen without building it."""

import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
FINAL = DOCKERFILE.rpartition("\nFROM ")[2]


def test_only_locked_packages_are_installed() -> None:
    """By hash, or nothing but what was built here."""
    installs = re.findall(r"pip install ([^&\n]+)", DOCKERFILE)
    assert len(installs) == 3
    for arguments in installs:
        assert "--require-hashes -r " in arguments or "--no-deps dist/*.whl" in arguments


def test_it_is_slim_and_not_root_and_has_git() -> None:
    """A user by number, which Kubernetes can check; nothing that builds anything is in the last stage."""
    assert FINAL.startswith("python:3.13-slim\n")
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", FINAL, re.MULTILINE)
    assert re.search(r"apt-get install [^&\n]*\bgit\b", FINAL)
    assert "pip" not in FINAL
    assert 'ENTRYPOINT ["reconciler"]' in FINAL


def test_what_it_copies_is_there_and_let_through() -> None:
    """By `.dockerignore`, which keeps everything else away: a clone may hold a key."""
    ignored, *rules = (ROOT / ".dockerignore").read_text().splitlines()
    let_through = [rule[1:] for rule in rules if rule.startswith("!")]
    copied = [
        name for names in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for name in names.split()
    ]
    assert ignored == "*"
    assert sorted(copied) == sorted(let_through)
    for name in copied:
        assert (ROOT / name).exists()
        assert not any(fnmatch(name, pattern) for pattern in (".git*", "*.db", ".env*"))
