"""A small world that knows who changed what, and a plan that must say so after any story.

People merge, revert, edit, make and delete; applies succeed, are refused, or are killed before or after a request took
effect; the service keeps what it likes. The record is written as design has it, by the reference below.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reconciler.model.cluster import FieldValue, LiveCluster
from reconciler.model.declaration import Declaration, Manifest
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Head
from reconciler.model.record import Line
from reconciler.plan.change import Change, Create, Delete, FieldChange, Update
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from tests.fakes import declaration, head, live, manifest
from tests.plan.histories import UNLIMITED, after, git, line, plan_of

Ending: TypeAlias = Literal["settles", "refused", "killed before", "killed after"]
Fleet: TypeAlias = Mapping[str, Manifest]

NAMES = st.sampled_from("aaab")
BODIES = st.fixed_dictionaries(
    {"shard_count": st.integers(1, 3), "node_instance_type": st.sampled_from(["small", "large"])},
    optional={"description": st.sampled_from(["x", "y"])},
)
PATHS = st.sampled_from(["shard_count", "node_instance_type", "description"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "shard_count": st.integers(1, 4),
    "node_instance_type": st.sampled_from(["small", "large", "huge"]),
    "description": st.sampled_from(["x", "y", "z"]),
}
ENDINGS = st.lists(
    st.sampled_from(["settles", "settles", "refused", "killed before", "killed after"]), min_size=2, max_size=2
)


# ---- the record, by the rules of design.md


def announced(known: Line | None, change: Change, declared: Declaration | None, found: LiveCluster | None) -> Line:
    """Before the first request: what is about to be sent. What is live as it was last sent counts as settled.

    A new cluster, and one that is adopted, has no past. What the service keeps it still does where nothing new is meant,
    and where it is, the value that it kept was the last to settle.
    """
    if known is not None and found is not None and isinstance(known.unsettled, Mapping) and known.owns(found):
        seen = {path: value for path, value in known.unsettled.items() if found.values.get(path) == value}
        known = known._replace(declared={**(known.declared or {}), **seen})
    if isinstance(change, Delete) or declared is None:
        assert known is not None
        return known._replace(unsettled="deleted")
    left = {field.path for field in change.fields if field.left is not None}
    sent = {path: value for path, value in declared.managed.items() if path not in left}
    if known is None or isinstance(change, Create) or change.cause == "adoption":
        origin: Any = "created" if isinstance(change, Create) else "adopted"
        return Line(change.name, "c", 0.0, "f", 1, origin, unsettled=sent)
    meant = {field.path for field in change.fields}
    same = {path for path in sent if known.sent.get(path) == sent[path]} - meant
    kept = {path: value for path, value in (known.kept or {}).items() if path in same}
    held = {path: value for path, value in (known.kept or {}).items() if path in sent and path not in same}
    stood = None if known.declared is None else {p: v for p, v in {**known.declared, **held}.items() if v is not None}
    return known._replace(declared=stood, unsettled=sent, kept=kept or None)


def seen_settled(known: Line | None, declared: Declaration, found: LiveCluster, left: set[str]) -> Line:
    """Seen settled: as declared, save what is left, which keeps its recorded value, and what the service keeps."""
    base = known or line(manifest(declared.name), origin="adopted")
    was = base.declared or {}
    now = {path: value for path, value in declared.managed.items() if path not in left}
    kept = {path: found.values.get(path) for path, value in now.items() if found.values.get(path) != value}
    stays = {path: was[path] for path in left if path in was}
    return base._replace(declared={**stays, **now}, unsettled=None, kept=kept or None, released=False)


class Story(RuleBasedStateMachine):
    """The world, and what it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.main: dict[str, Manifest] = {}
        self.past: list[dict[str, Manifest]] = [{}]
        self.live: dict[str, LiveCluster] = {}
        self.lines: dict[str, Line] = {}
        self.writer: dict[tuple[str, str], str] = {}
        self.strangers: set[str] = set()
        self.hand_deleted: set[str] = set()
        self.pins: dict[tuple[str, str], FieldValue] = {}

    @initialize(body=BODIES)
    def once_all_was_well(self, body: dict[str, Any]) -> None:
        for name in "ab":
            self.merge(name, body, {})
        self.apply(["settles", "settles"], prune=False, consent=False)

    # ---- what people do

    @rule(name=NAMES, body=BODIES, lifecycle=st.sampled_from([{}, {}, {"on_drift": "report"}, {"on_remove": "keep"}]))
    def merge(self, name: str, body: dict[str, Any], lifecycle: dict[str, Any]) -> None:
        self.past.append(dict(self.main))
        self.main[name] = manifest(name, **body, lifecycle=lifecycle)

    @rule(name=NAMES)
    def merge_a_removal(self, name: str) -> None:
        self.past.append(dict(self.main))
        self.main.pop(name, None)

    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        self.main = dict(data.draw(st.sampled_from(self.past)))

    @rule(name=NAMES, path=PATHS, data=st.data())
    def edit_by_hand(self, name: str, path: str, data: st.DataObject) -> None:
        found = self.live.get(name)
        if found is not None:
            self._put(name, {**found.values, path: data.draw(VALUES[path])}, by="hand")

    @rule(name=NAMES, body=BODIES)
    def make_by_hand(self, name: str, body: dict[str, Any]) -> None:
        if name not in self.live:
            self._put(name, live(name, **{"description": None, **body}).values, by="hand")
            known = self.lines.get(name)
            if known is None or not known.settled:
                self.strangers.add(name)
            self.hand_deleted.discard(name)

    @rule(name=NAMES)
    def delete_by_hand(self, name: str) -> None:
        if self.live.pop(name, None) is not None:
            self.hand_deleted.add(name)
            self.strangers.discard(name)

    @rule(name=NAMES, path=PATHS, data=st.data())
    def the_service_will_keep(self, name: str, path: str, data: st.DataObject) -> None:
        self.pins[name, path] = data.draw(VALUES[path])

    @rule(name=NAMES, path=PATHS)
    def the_service_obeys_again(self, name: str, path: str) -> None:
        self.pins.pop((name, path), None)

    # ---- what the tool does

    @rule(endings=ENDINGS, prune=st.booleans(), consent=st.booleans())
    def apply(self, endings: list[Ending], prune: bool, consent: bool) -> None:
        intent = Intent(prune="owned" if prune else None, adopt=("*",) if consent else (), allow=("empty-head",))
        plan = self.plan(self.main, self.main, intent)
        if plan.violations:
            return
        before = dict(self.lines)
        declared = {name: declaration(one) for name, one in self.main.items()}
        for change in plan.sends:
            known, found = before.get(change.name), self.live.get(change.name)
            self.lines[change.name] = announced(known, change, declared.get(change.name), found)
            if self.lines[change.name].settled:  # to the letter what we sent: nothing tells it from ours
                self.strangers.discard(change.name)
        creates_first = sorted(plan.sends, key=lambda change: change.action == "delete")
        for change, ending in zip(creates_first, endings, strict=False):
            if ending == "killed before":
                return
            if ending == "refused":
                self._restore(change.name, before)
                continue
            self._carry_out(plan.model_copy(update={"changes": (change,)}), change)
            if ending == "killed after":
                self._pins_are_unknown(change.name)
                return
            self._settle(change, declared)
        self._finish(plan, declared)

    def _restore(self, name: str, before: Mapping[str, Line]) -> None:
        self.lines.pop(name)
        if name in before:
            self.lines[name] = before[name]

    def _carry_out(self, alone: Plan, change: Change) -> None:
        if isinstance(change, Delete):
            del self.live[change.name]
            return
        (now,) = after(alone, [self.live[change.name]] if change.name in self.live else [])
        pinned = {
            path: value for (name, path), value in self.pins.items() if name == change.name and path in now.values
        }
        kept = {field.path for field in change.fields if field.left is not None}
        self._put(change.name, {**now.values, **pinned}, by="tool", unless=kept)
        self.strangers.discard(change.name)
        self.hand_deleted.discard(change.name)

    def _settle(self, change: Change, declared: Mapping[str, Declaration]) -> None:
        if isinstance(change, Delete):
            del self.lines[change.name]
            self.strangers.discard(change.name)
            return
        left = {field.path for field in change.fields if field.left is not None}
        self.lines[change.name] = seen_settled(
            self.lines[change.name], declared[change.name], self.live[change.name], left
        )

    def _finish(self, plan: Plan, declared: Mapping[str, Declaration]) -> None:
        """A run that wasn't killed: what is declared and as it should be is seen settled; what is gone is forgotten."""
        changed = {change.name for change in plan.changes}
        for name, one in declared.items():
            if name not in changed and name in self.live and one.managed.items() <= self.live[name].values.items():
                self.lines[name] = seen_settled(self.lines.get(name), one, self.live[name], set())
                self.strangers.discard(name)
        self.lines = {n: one for n, one in self.lines.items() if n in declared or n in self.live}

    def _put(self, name: str, values: Mapping[str, FieldValue], *, by: str, unless: set[str] | None = None) -> None:
        new = name not in self.live
        was = {} if new else self.live[name].values
        for path in ("shard_count", "node_instance_type", "description"):
            if (new or was.get(path) != values.get(path)) and path not in (unless or ()):
                self.writer[name, path] = by
        self.live[name] = LiveCluster(name, "Active", (), dict(values))

    def _pins_are_unknown(self, name: str) -> None:
        """Killed before it could be seen that the service keeps another value: nobody can know whose that is."""
        for pinned, path in self.pins:
            if pinned == name:
                self.writer[name, path] = "unknown"

    # ---- what is planned

    def evidence(self, base: Fleet) -> Evidence:
        return git(*base.values(), recorded=self.lines.values())

    def head(self, of: Fleet) -> Head:
        return head(*of.values(), limits=UNLIMITED)

    def plan(self, base: Fleet, now: Fleet, intent: Intent) -> Plan:
        return plan_of(self.head(now), [*self.live.values()], self.evidence(base), intent)

    # ---- what must be true

    @rule(name=NAMES, body=st.none() | BODIES)
    def a_pull_request_tells_the_truth(self, name: str, body: dict[str, Any] | None) -> None:
        now = {**self.main, **({name: manifest(name, **body)} if body else {})}
        if body is None:
            now.pop(name, None)
        self._tells_the_truth(self.main, now)

    @invariant()
    def the_main_branch_tells_the_truth(self) -> None:
        self._tells_the_truth(self.main, self.main)

    @invariant()
    def all_converges(self) -> None:
        """Invariant 4: with consent, an apply that succeeds leaves nothing to send."""
        plan = self.plan(self.main, self.main, Intent(adopt=("*",), prune="owned", allow=("empty-head",)))
        again = plan_of(self.head(self.main), after(plan, [*self.live.values()]), self.evidence(self.main))
        assert again.sends == ()

    def _tells_the_truth(self, base: Fleet, now: Fleet) -> None:
        plan = self.plan(base, now, Intent(prune="owned"))
        for change in plan.changes:
            known = self.lines.get(change.name)
            match change:
                case Create():
                    deleted = change.name in self.hand_deleted and known is not None and known.settled
                    expected = "revision" if change.name not in base else "drift" if deleted else "pending"
                    assert change.cause == expected
                case Update():
                    for field in change.fields:
                        self._is_true(change, field, base.get(change.name), known)
                case Delete():
                    assert change.name not in now
                    assert known is not None
                    assert self._ours(change.name, known)
                    assert change.cause == ("revision" if change.name in base else "pending")
        self._keeps(plan)

    def _ours(self, name: str, known: Line | None) -> bool:
        """A stranger's cluster is ours only if it is, to the letter, what we never saw settled, or deleted."""
        exact = known is not None and bool(known.sent) and known.sent.items() <= self.live[name].values.items()
        return known is not None and (exact if not known.settled else name not in self.strangers)

    def _is_true(self, change: Update, field: FieldChange, base: Manifest | None, known: Line | None) -> None:
        if not self._ours(change.name, known):
            assert field.cause == "adoption"
            return
        assert known is not None
        writer = self.writer.get((change.name, field.path), "nobody")
        at_base = declaration(base).managed.get(field.path) if base is not None else None
        told = [known.declared or {}, known.sent, known.kept or {}]
        familiar = (at_base is not None and field.before == at_base) or any(
            field.path in values and values[field.path] == field.before for values in told
        )
        applied = field.after in {values.get(field.path) for values in told[:2]}
        by_hand = writer == "hand" and not familiar and field.path in (known.declared or {})
        if writer == "unknown":
            return
        if by_hand:
            assert field.cause == ("drift" if applied else "conflict")
        else:
            assert field.cause == ("pending" if at_base == field.after else "revision")

    def _keeps(self, plan: Plan) -> None:
        for kept in plan.kept:
            known = self.lines[kept.name]
            assert known.kept is not None
            assert known.kept[kept.path] == kept.kept == self.live[kept.name].values.get(kept.path)


TestStory = Story.TestCase
# A story with all that it takes is rare, and a short one cheap.
TestStory.settings = settings(max_examples=4 * settings().max_examples, stateful_step_count=25)
