import pytest

from tests.evidence.repositories import NOBODYS


@pytest.fixture(autouse=True)
def nobodys_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """What git does in a test doesn't depend on who runs it."""
    for name, value in NOBODYS.items():
        monkeypatch.setenv(name, value)
