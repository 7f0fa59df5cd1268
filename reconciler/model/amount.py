"""Amounts of money: exact in decimals, as somebody wrote them, and without a currency: the fleet file's is its own.

At rest they are numbers, as YAML and JSON have them; `exact` makes of each the decimal that it was written as.
"""

from decimal import Decimal


def exact(number: float) -> Decimal:
    """`0.1` as one tenth, and not as the nearest binary fraction."""
    return Decimal(str(number))


def amount_text(amount: Decimal) -> str:
    """`12.50`: two places, or as many as it takes."""
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount.normalize():f}"
