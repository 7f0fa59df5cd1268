"""Amounts are exact in decimals, and read as money does."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.amount import amount_text, exact


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0.00"), (3, "3.00"), (0.1, "0.10"), (0.125, "0.125"), (1e-05, "0.00001"), (-0.5, "-0.50"), (1e21, f"1{'0' * 21}.00")],
)  # fmt: skip
def test_an_amount_has_two_places_or_as_many_as_it_takes(number: float, text: str) -> None:
    """Never an exponent."""
    assert amount_text(exact(number)) == text


@given(st.lists(st.integers(0, 10**9), max_size=50))
def test_sums_hold_no_noise(millionths: list[int]) -> None:
    """As whole numbers would."""
    total = sum((exact(number / 10**6) for number in millionths), Decimal())
    assert total == Decimal(sum(millionths)) / 10**6
