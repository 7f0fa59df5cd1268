"""All that git remembers of a folder of manifests: where head comes from, base, the records, who set what."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from reconciler.desired.files import Folder
from reconciler.desired.fleet import read_layout
from reconciler.errors import GitError, ReconcilerError, UsageError
from reconciler.event import NO_EVENT, WorkflowEvent
from reconciler.evidence.base import choose_base
from reconciler.evidence.git import Commit, Git
from reconciler.evidence.history import Revision, read_histories
from reconciler.evidence.record import Records
from reconciler.evidence.revision import Reader, Tree, same_target
from reconciler.evidence.stale import refuse_stale_head
from reconciler.evidence.walk import Log
from reconciler.evidence.worktree import WorkTree
from reconciler.model.command import record_command
from reconciler.model.declaration import Declaration
from reconciler.model.evidence import Evidence, Gone, Provenance, Removal
from reconciler.model.fleet import Fleet, Head, Target
from reconciler.model.guards import Limits
from reconciler.model.record import Record, claim, is_sandbox, unclaimed

_RECENT: Final = 1000
"""Commits that are looked at first: what isn't applied yet was mostly merged of late."""

Asked = Mapping[str, Collection[str] | None]
"""Clusters by name, each with the paths whose last change is asked for; None for when it was removed."""


class GitOptions(NamedTuple):
    """What a run asks of git.

    `base` is the base that was named, `event` what started the run; `remote` is where the records are fetched from and
    pushed to, None for nowhere; `run_id` is told in what is recorded.
    """

    base: str | None = None
    event: WorkflowEvent = NO_EVENT
    remote: str | None = None
    run_id: str = ""


class Checkout:
    """The git checkout that holds a folder of manifests, at one moment: what all its targets have in common.

    `root` is the folder as it is shown. `head` is HEAD's commit.
    """

    def __init__(self, git: Git, root: str, head: Commit, options: GitOptions) -> None:
        self.root = root
        self.head = head
        self.records = Records(git, options.run_id)
        self._git = git
        self._options = options
        self._base = choose_base(git, head, options.base, options.event)
        self._work_tree: WorkTree | None = None
        self._read_logs: dict[int | None, Log] = {}

    @classmethod
    def open(cls, folder: str, root: str, options: GitOptions) -> "Checkout | None":
        """The checkout of a folder; None where there is no git, or no commit yet.

        Raises GitError where git can't be read, or doesn't have the base that is named.
        """
        git = Git.open(folder)
        head = git.commit("HEAD") if git else None
        if git is None or head is None:
            if git is not None:
                git.close()
            return None
        try:
            return cls(git, root, head, options)
        except ReconcilerError:
            git.close()
            raise

    def close(self) -> None:
        """End what was started."""
        self._git.close()

    def head_tree(self) -> Tree:
        """The manifests as HEAD has them."""
        return Tree(self._git, self.head.sha, self.root)

    def work_tree(self, folder: Folder) -> WorkTree:
        """The manifests as they are here, of which `dirty` tells once they are read."""
        self._work_tree = WorkTree(folder, self.head.sha)
        return self._work_tree

    @cached_property
    def dirty(self) -> bool:
        """Whether what was read of the work tree differs from HEAD; never where all is read from HEAD."""
        return self._work_tree is not None and self._work_tree.differs_from(self.head_tree())

    def had_folder(self, name: str) -> bool:
        """Whether git once had a folder of manifests that isn't there any more.

        Where history is cut, one that base names for a target, too, counts: it isn't this change that misspells it.
        """
        below = name.removeprefix(self.root).strip("/")
        if self._git.had(f"{self._git.prefix}{below}"):
            return True
        if not self._git.shallow or self._base is None:
            return False
        at_base = read_layout(Tree(self._git, self._base.base.commit, self.root))
        return any(target.folder == name for target in at_base.targets)

    def refuse_stale(self, records: Iterable[Record]) -> None:
        """Raise StaleHead if HEAD is too old to be applied."""
        refuse_stale_head(self._git, self.head, records, self._options.event, self._options.remote)

    def records_of(self, targets: Iterable[Target], endpoints: Mapping[str, str]) -> dict[str, Record | None]:
        """The record of each target, by its name; that of another name, where it was renamed.

        `endpoints` are those of all targets, selected or not, by name and as they are shown.
        """
        return _claims(self.records.all(), targets, endpoints)

    def unclaimed(self, fleet: Fleet, endpoints: Mapping[str, str]) -> tuple[Record, ...]:
        """The records that no target claims and that aren't empty.

        A target whose endpoint isn't known here, since it isn't selected, claims all of its name; one that was renamed
        claims what it takes along.
        """
        every = self.records.all()
        located = [target for target in fleet.targets if target.name in endpoints]
        claimed = filter(None, _claims(every, located, endpoints).values())
        taken = {(record.renamed_from or record.target, record.endpoint) for record in claimed}
        unknown = {target.name for target in fleet.targets if target.name not in endpoints}
        found = unclaimed(every, tuple(endpoints.items()))
        return tuple(r for r in found if r.lines and r.target not in unknown and (r.target, r.endpoint) not in taken)

    def fetch_records(self) -> None:
        """Bring the remote's records here, if there is a remote. Raises GitError."""
        if self._options.remote is not None:
            self.records.fetch(self._options.remote)

    def push_records(self, records: Collection[Record]) -> None:
        """Push these, if there is a remote. Raises GitError."""
        if self._options.remote is not None:
            self.records.push(self._options.remote, records)

    def gone(self, orphans: Iterable[Record], endpoints: Mapping[str, str]) -> tuple[Gone, ...]:
        """Those of the unclaimed records that base's targets claim: this change leaves them behind."""
        orphans = tuple(orphans)
        if not orphans or self._base is None or (self._base.base.commit == self.head.sha and not self.dirty):
            return ()
        tree = Tree(self._git, self._base.base.commit, self.root)
        at_base = {target.name: target.endpoint for target in read_layout(tree).targets}
        return tuple(
            Gone(record.target, record.endpoint, tuple(record.lines), endpoints.get(record.target))
            for record in orphans
            if record.target in at_base
            and (is_sandbox(record.endpoint) or at_base[record.target] in {None, record.endpoint})
        )

    def at_base(self, target: Target) -> Mapping[str, Declaration]:
        """All that base declares for a target. Raises UsageError where there is no base."""
        if self._base is None:
            raise UsageError(
                "--offline compares with a base, and --base none asks for none", remedy="leave --base none out"
            )
        reader = Reader(self._git, self.root, target, None)
        base = self._base.base.commit
        if reader.layout(Tree(self._git, base, self.root)) is None:
            raise GitError(
                f"base can't be read: {reader.unreadable[0]} doesn't parse", remedy="name another: --base REF"
            )
        return reader.declared(base)

    def evidence(self, head: Head, record: Record | None, names: Collection[str], gone: tuple[Gone, ...]) -> Evidence:
        """What git says of one target, and of the clusters that differ or that head doesn't declare."""
        base, target = self._base.base if self._base else None, head.target
        provenance = Provenance(self.head.sha, self.dirty, base)
        warnings = (*self._of_record(record), *(self._base.warnings if self._base else ()))
        if base is None:
            return Evidence(provenance, None, record, gone=gone, warnings=warnings)
        if base.commit == self.head.sha and not self.dirty:
            here = {name: head.declarations[name] for name in names if name in head.declarations}
            removals = self._removals(target, record, [n for n in names if n not in here], base.commit)
            astray = self._astray(record, names)
            return Evidence(provenance, here, record, removals, astray, None, gone, warnings)
        reader = Reader(self._git, self.root, target, names)
        tree = Tree(self._git, base.commit, self.root)
        layout = reader.layout(tree)
        declared = reader.declared(base.commit)
        known = same_target(target, layout) if tree.names() else None  # a folder that base lacks says nothing of limits
        undeclared = [name for name in names if name not in declared and name not in head.declarations]
        return Evidence(
            provenance,
            declared,
            record,
            self._removals(target, record, undeclared, base.commit),
            self._astray(record, names),
            self._limits(known, base.commit),
            gone,
            (*_new_endpoint(target, known), *warnings, *_unreadable(reader)),
        )

    def who_set(self, target: Target, asked: Mapping[str, Collection[str]]) -> Mapping[tuple[str, str], str]:
        """The commit that last changed each path, or added the whole cluster, by cluster and path."""
        if not asked or self._base is None or not self._has_history:
            return {}
        found = self._histories(target, asked, self._base.base.commit)
        return {
            (name, path): commit
            for name, paths in asked.items()
            for path in paths
            if (commit := next((r.commit for r in found[name] if r.sets(path)), None)) is not None
        }

    @property
    def _has_history(self) -> bool:
        return not self._git.shallow and not self._git.partial

    def _histories(self, target: Target, asked: Asked, base: str) -> Mapping[str, tuple[Revision, ...]]:
        reader = Reader(self._git, self.root, target, asked)
        return read_histories(self._git, reader, self._logs(base), self.root, asked)

    def _removals(
        self, target: Target, record: Record | None, names: Collection[str], base: str
    ) -> Mapping[str, Removal]:
        """How recorded clusters came to be undeclared: of what isn't in the record nobody asks."""
        asked = [name for name in names if record is not None and name in record.lines]
        if not asked or not self._has_history:
            return {}
        found = self._histories(target, dict.fromkeys(asked), base)
        last = {name: revisions[0] for name, revisions in found.items() if revisions}
        return {n: Removal(r.commit, r.before) for n, r in last.items() if r.after is None and r.before is not None}

    def _astray(self, record: Record | None, names: Collection[str]) -> frozenset[str]:
        """The clusters whose recorded commit is known not to be in HEAD's history: a branch's, say."""
        if record is None or self._git.shallow:
            return frozenset()
        commits = {name: line.commit for name in names if (line := record.lines.get(name)) and line.commit}
        known = {sha for sha in {*commits.values()} if self._git.commit(sha) is not None}
        beyond = self._git.beyond(self.head.sha, known)
        return frozenset(name for name, sha in commits.items() if sha in beyond)

    def _limits(self, target: Target | None, base: str) -> Limits | None:
        return target.limits if target is not None and base != self.head.sha else None

    def _of_record(self, record: Record | None) -> tuple[str, ...]:
        if record is not None:
            return ()
        remotes = self._git.remotes()
        if self._options.remote is not None or not remotes:
            return ()
        fetch = record_command("fetch", folder=self.root, remote=remotes[0])
        return (f"this clone has no record, and a remote that may: {fetch}",)

    def _logs(self, base: str) -> Iterator[Log]:
        """The history of base, which all targets share: what is newest, and where that doesn't tell, all of it."""
        for most in (_RECENT, None):
            if most not in self._read_logs:
                log = self._git.log(base, self._git.prefix, most)
                self._read_logs[most] = log._replace(entries=tuple(log.entries))
            yield self._read_logs[most]


def _claims(
    every: Sequence[Record], targets: Iterable[Target], endpoints: Mapping[str, str]
) -> dict[str, Record | None]:
    known = tuple(endpoints.items())
    return {t.name: claim(every, t.name, endpoints[t.name], t.api_key_env, known) for t in targets}


def _new_endpoint(target: Target, at_base: Target | None) -> tuple[str, ...]:
    """Where an API key would be sent for the first time."""
    if target.endpoint is None or (at_base is not None and at_base.endpoint in {None, target.endpoint}):
        return ()
    was = f", not to {at_base.endpoint}" if at_base is not None else ""
    return (f"this change sends target {target.name} and its API key to {target.endpoint}{was}",)


def _unreadable(reader: Reader) -> tuple[str, ...]:
    if not reader.unreadable:
        return ()
    more = len(reader.unreadable) - 1
    return (f"not read, as it doesn't parse: {reader.unreadable[0]}" + (f" and {more} more" if more else ""),)
