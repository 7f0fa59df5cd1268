"""What must not be shown, while it grows: a service account's token is replaced every hour, for months."""

from reconciler.cli.secrets import Secrets
from reconciler.model.secret import ApiKey


def test_what_passes_is_forgotten_and_what_lasts_is_not() -> None:
    """However many have come, few are looked for; the newest are among them, once each."""
    secrets = Secrets()
    assert not secrets
    secrets.keep(ApiKey("lasting"))
    for hour in range(1000):
        secrets.keep_passing(ApiKey(f"token {hour}"))
        secrets.keep_passing(ApiKey(f"token {hour}"))
        secrets.keep(ApiKey("lasting"))
    assert list(secrets) == [ApiKey("lasting"), *(ApiKey(f"token {hour}") for hour in (996, 997, 998, 999))]


def test_who_reads_them_is_not_disturbed_by_who_adds_one() -> None:
    """The lease's thread and the page's both do it all the time."""
    secrets = Secrets()
    secrets.keep(ApiKey("first"))
    reading = iter(secrets)
    secrets.keep(ApiKey("second"))
    assert list(reading) == [ApiKey("first")]
