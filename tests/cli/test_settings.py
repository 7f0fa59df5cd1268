"""What is asked for about output is known even of a command line that is wrong."""

import pytest

from reconciler.cli.settings import early_settings


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, (None, "text", "auto")),
        (["plan", "--format", "json", "--nonsense"], {}, ("plan", "json", "auto")),
        (["validate", "--log-format=json"], {}, ("validation", "text", "json")),
        (["plan", "--format"], {"RECONCILER_LOG_FORMAT": "json"}, ("plan", "text", "json")),
        (["apply", "--log-format", "console"], {"RECONCILER_LOG_FORMAT": "json"}, ("plan", "text", "auto")),
        (["sandbox", "--format", "json"], {}, (None, "json", "auto")),
    ],
)
def test_a_line_that_makes_no_sense_is_answered_in_the_form_it_asks_for(
    arguments: list[str], environment: dict[str, str], expected: tuple[object, ...]
) -> None:
    """As far as it can be told."""
    early = early_settings(arguments, environment)
    assert (early.result, early.format_name, early.log_format) == expected
