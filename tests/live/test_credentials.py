"""What can be an API key."""

import traceback

import pytest

from reconciler.errors import CredentialsError
from reconciler.live.credentials import check_key


def test_a_key_is_taken_without_the_white_space_around_it() -> None:
    """As an editor or `echo` leaves it."""
    assert check_key(' k"e\\y\r\n', "MOMENTO_API_KEY").reveal() == 'k"e\\y'


@pytest.mark.parametrize("key", ["secret\r\nX-Evil: 1", "secret key", "secret\x00", "secré", "\ufeffsecret"])
def test_what_no_header_can_carry_is_refused_unseen(key: str) -> None:
    """The error says where it came from, and nothing of what it is."""
    with pytest.raises(CredentialsError) as caught:
        check_key(key, "MOMENTO_API_KEY")
    assert caught.value.message == "what MOMENTO_API_KEY holds is no API key: a header can't carry it"
    assert "secr" not in repr(caught.value) + str(caught.value.problems())
    assert "secr" not in traceback.format_exception_only(caught.value)[-1]


def test_nothing_is_no_key() -> None:
    """Empty, or white space alone."""
    with pytest.raises(CredentialsError, match=r"the file key.txt holds no API key"):
        check_key(" \n", "the file key.txt")
