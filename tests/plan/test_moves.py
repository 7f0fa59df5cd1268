"""A delete and a create that belong together."""

from reconciler.plan.change import Origin
from reconciler.plan.moves import Movable, find_moves
from tests.fakes import declaration, live, manifest


def half(target: str, name: str) -> Origin:
    return Origin(target=target, name=name)


def movable(target: str, leaving: str, arriving: str, *, shards: int = 2) -> Movable:
    """A target that loses and gains clusters of one letter each; what it gains has so many shards."""
    return Movable(target, [*map(live, leaving)], [declaration(manifest(n, shard_count=shards)) for n in arriving])


def test_one_name_in_two_targets_is_a_move_whatever_its_configuration() -> None:
    """Told both ways."""
    moves = find_moves([movable("here", "a", ""), movable("there", "", "a", shards=9)])
    assert moves.origins == {half("there", "a"): half("here", "a")}
    assert moves.successors == {half("here", "a"): half("there", "a")}


def test_one_configuration_under_two_names_in_one_target_is_a_rename() -> None:
    """What is declared, as it is live; another configuration, or another target, is another cluster."""
    assert find_moves([movable("here", "a", "b")]).origins == {half("here", "b"): half("here", "a")}
    whole = Movable("here", [live("a")], [declaration(manifest("b", description="", shard_placements=[]))])
    assert find_moves([whole]).origins == {half("here", "b"): half("here", "a")}
    assert find_moves([movable("here", "a", "b", shards=3)]).origins == {}
    assert find_moves([movable("here", "a", ""), movable("there", "", "b")]).origins == {}


def test_a_move_comes_before_a_rename_and_no_half_belongs_to_two() -> None:
    """Whichever is found first; what is left over is a create, or a delete, of its own."""
    targets = [movable("here", "y", "x"), movable("there", "", "y")]
    assert find_moves(targets).origins == {half("there", "y"): half("here", "y")}
    assert find_moves([movable("here", "a", "bc")]).origins == {half("here", "b"): half("here", "a")}
    assert find_moves([movable("here", "ab", "c")]).successors == {half("here", "a"): half("here", "c")}
    both = [movable("one", "a", ""), movable("two", "a", ""), movable("three", "", "a")]
    assert find_moves(both).origins == {half("three", "a"): half("one", "a")}


def test_the_order_of_targets_and_halves_changes_nothing() -> None:
    """They are matched by name."""
    targets = [movable("here", "abcd", "efgh"), movable("there", "xyz", "abw"), movable("far", "ef", "cd")]
    backwards = [Movable(t.target, t.leaving[::-1], t.arriving[::-1]) for t in targets[::-1]]
    assert find_moves(backwards) == find_moves(targets)
    assert len(find_moves(targets).origins) == 7
