"""What a run means to do."""

from reconciler.plan.intent import Intent


def test_patterns_are_of_whole_names_and_none_of_them_means_no_consent() -> None:
    """Without `--only` all is looked at; without `--adopt` and `--replace` nothing is consented to."""
    nothing = Intent()
    assert (nothing.selects("a"), nothing.adopts("a"), nothing.replaces("a")) == (True, False, False)
    some = Intent(only=("a*",), adopt=("b", "c?"), replace=("[de]",))
    assert [name for name in ("a", "ab", "ba", "A") if some.selects(name)] == ["a", "ab"]
    assert [name for name in ("b", "bb", "c", "cc") if some.adopts(name)] == ["b", "cc"]
    assert [name for name in ("d", "e", "de") if some.replaces(name)] == ["d", "e"]
