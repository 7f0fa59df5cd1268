"""A command that a message names can be pasted as it stands, and does what the message is of."""

from reconciler.model.command import command_word, record_command


def test_a_command_that_is_copied_carries_out_nothing_else() -> None:
    """Whatever a target is called."""
    assert [command_word(text) for text in ("us-east-1", "a b", "$(x)", "~root", "it's", "")] == [
        "us-east-1",
        "'a b'",
        "'$(x)'",
        "'~root'",
        "'it'\\''s'",
        "''",
    ]


def test_the_record_is_that_of_the_folder_and_the_target() -> None:
    """Else another target's cluster of the same name would be forgotten, too."""
    assert record_command("fetch") == record_command("fetch", folder="manifests") == "reconciler record fetch"
    asked = record_command("forget", "a b", folder="infra", target="eu", remote="upstream")
    assert asked == "reconciler record forget 'a b' --manifests=infra --target=eu --remote=upstream"
