"""All that git says of one target: where head comes from, and the evidence on what differs."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import tee

from reconciler.desired.applied import move_applied, read_applied
from reconciler.desired.base import Chosen, Event, choose_base, default_branch, refuse_stale_head
from reconciler.desired.git import Commit, Git, LogEntry
from reconciler.desired.history import read_histories
from reconciler.desired.revision import Reader, Tree, name_of
from reconciler.errors import GitError, ReconcilerError, UsageError
from reconciler.model.declaration import Declaration
from reconciler.model.evidence import Applied, ClusterEvidence, Evidence, Provenance, Revision
from reconciler.model.fleet import Target
from reconciler.model.guards import Guards


class Repository:
    """The git of a folder of manifests at one moment: all that its targets have in common.

    `root` is the folder as it is shown. `head` is HEAD's commit, `dirty` whether the folder differs from it.
    """

    def __init__(self, git: Git, root: str, head: Commit, wanted_base: str | None, event: Event) -> None:
        self.root = root
        self.head = head
        self.dirty = git.dirty()
        self._git = git
        self._event = event
        self._explicit_base = bool(wanted_base)
        self._base = choose_base(git, head, wanted_base, event)
        self._log: Iterator[LogEntry] | None = None

    @classmethod
    def open(cls, folder: str, root: str, wanted_base: str | None, event: Event) -> "Repository | None":
        """The repository of a folder; None where there is no git, or no commit yet.

        Raises GitError where git can't be read, or doesn't have the base that is named.
        """
        git = Git.open(folder)
        head = git.commit("HEAD") if git else None
        if git is None or head is None:
            if git is not None:
                git.close()
            return None
        try:
            return cls(git, root, head, wanted_base, event)
        except ReconcilerError:
            git.close()
            raise

    def close(self) -> None:
        """End what was started."""
        self._git.close()

    def head_tree(self) -> Tree:
        """The manifests as HEAD has them."""
        return Tree(self._git, self.head.sha, self.root)

    @cached_property
    def unproven(self) -> str | None:
        """Why no ownership can be proven here, and what would mend it; None where it can."""
        return _why_unproven(self._git, self.head, self._base, self._event)

    @cached_property
    def blind(self) -> str | None:
        """Why what is protected or released can't be seen here, and what would mend it; None where it can."""
        return _why_blind(self._git)

    def refuse_stale(self, endpoint: str, target: str) -> None:
        """Raise StalePlan if HEAD is too old to be applied; an explicit base says that it is meant."""
        if not self._explicit_base:
            applied = read_applied(self._git, endpoint, target)
            refuse_stale_head(self._git, self.head, applied.sha if applied else None, self._event)

    def at_base(self, target: Target, endpoint: str) -> Mapping[str, Declaration]:
        """All that base declares for an endpoint. Raises UsageError where there is no base."""
        if self._base is None:
            raise UsageError("--offline compares with base, and there is none", remedy="leave --base none out")
        reader = Reader(self._git, self.root, target.name, endpoint, None)
        base = self._base.base.commit
        if reader.layout(Tree(self._git, base, self.root)) is None:
            raise GitError(
                f"base can't be read: {reader.unreadable[0]} doesn't parse", remedy="name another: --base REF"
            )
        return reader.declared(base)

    def evidence(
        self,
        target: Target,
        endpoint: str,
        changed: Mapping[str, Collection[str] | None],
        undeclared: Iterable[str],
        settled: Iterable[Declaration] = (),
        *,
        applied_to: str,
    ) -> Evidence:
        """What git says of clusters that head would change, and of live ones that no target declares.

        `changed` has the paths that differ by cluster, None for all. `settled` are those in sync: of them only what is
        adopted is told. `endpoint` is where they were declared for, `applied_to` where they are: an embedded sandbox is
        elsewhere.
        """
        applied = read_applied(self._git, applied_to, target.name)
        provenance = Provenance(
            revision=self.head.sha,
            dirty=self.dirty,
            base=self._base.base if self._base else None,
            applied=Applied(commit=applied.sha if applied else None, inferred=applied is None) if self._base else None,
        )
        undeclared = tuple(undeclared)
        contradiction = (
            f"the fleet file sends target {target.name} to {target.endpoint}"
            if target.endpoint not in {None, endpoint}
            else None
        )
        warnings = self._base.warnings if self._base else ()
        # Without a base there are no causes; what is protected still is.
        base = self._base.base.commit if self._base else self.head.sha
        if contradiction:
            limits = Reader(self._git, self.root, target.name, endpoint, ()).limits(applied.sha if applied else base)
            said = f"no causes, and no cluster can be proven ours: {contradiction}"
            return Evidence(provenance, unproven=contradiction, guards=limits, warnings=(*warnings, said))
        if self._base is not None:
            since = applied.sha if applied else self._base.base.commit
            warnings += _adopting(self._adopted(target, endpoint, since, settled))
        if not changed and not undeclared:
            return Evidence(provenance, warnings=warnings)
        reader = Reader(self._git, self.root, target.name, endpoint, (*changed, *undeclared))
        try:
            clusters, guards = self._read(reader, base, applied, changed, undeclared)
        except GitError:
            if not self._git.partial:
                raise
            return Evidence(provenance, unproven=PARTIAL, warnings=(*warnings, f"no causes: {PARTIAL}"))
        return Evidence(provenance, clusters, self.unproven, guards, (*warnings, *_unreadable(reader)))

    def _adopted(self, target: Target, endpoint: str, since: str, settled: Iterable[Declaration]) -> list[str]:
        """Which of these were not declared yet at a commit."""
        if (since == self.head.sha and not self.dirty) or self._git.partial:
            return []
        paths = self._git.changed_files(since, None if self.dirty else self.head.sha)
        files = {name_of(path, self._git, self.root) for path in paths}
        names = [declaration.name for declaration in settled if declaration.file in files]
        earlier = Reader(self._git, self.root, target.name, endpoint, names).declared(since) if names else {}
        return [name for name in names if name not in earlier]

    def _read(
        self,
        reader: Reader,
        base: str,
        applied: Commit | None,
        changed: Mapping[str, Collection[str] | None],
        undeclared: tuple[str, ...],
    ) -> tuple[Mapping[str, ClusterEvidence], Guards | None]:
        at_base = reader.declared(base)
        at_applied: Mapping[str, Declaration] = {}
        if applied is not None:
            at_applied = at_base if applied.sha == base else reader.declared(applied.sha)
        asked: dict[str, Collection[str] | None] = dict.fromkeys(undeclared)
        asked |= {n: paths for n, paths in changed.items() if applied is None or _moved(n, at_base, at_applied)}
        histories: Mapping[str, tuple[Revision, ...]] = {}
        if asked and not self._git.shallow and not self._git.partial:
            histories = read_histories(self._git, reader, self._log_of(base), self.root, asked)
        clusters = {
            name: ClusterEvidence(
                base=at_base.get(name),
                applied=(stood := at_applied.get(name)),
                applied_here=applied is None or stood is None or reader.stands_here(stood, applied.sha),
                history=histories.get(name, ()),
            )
            for name in (*changed, *undeclared)
        }
        return clusters, reader.limits(applied.sha if applied else base)

    def _log_of(self, base: str) -> Iterator[LogEntry]:
        """The log of base, that git is asked for once and all targets share."""
        self._log, log = tee(self._log or self._git.log(base, self._git.prefix))
        return log

    def say_applied(self, endpoint: str, target: str) -> bool:
        """Move the ref of what was applied to HEAD; whether it was moved, or was there already."""
        return move_applied(self._git, endpoint, target, self.head.sha)


_NAMES_TOLD = 20
NO_BASE_NAMED = "--base none leaves nothing to prove it by"
SHALLOW = "this clone is shallow: git fetch --unshallow brings the history (in a workflow: fetch-depth: 0)"
PARTIAL = "this clone is partial: clone it anew, without --filter"
HIDDEN = "git hides files from the folder of manifests: git sparse-checkout disable brings them back"
NO_DEFAULT_BRANCH = "no default branch is known here: git fetch, then git remote set-head origin --auto"
OFF_DEFAULT_BRANCH = "the base is not on the default branch's history: name one that is with --base REF"
OFF_FIRST_PARENTS = "the commit before this push is not on HEAD's first-parent history: name a base with --base REF"


def _why_blind(git: Git) -> str | None:
    if git.shallow:
        return SHALLOW
    if git.partial:
        return PARTIAL
    return HIDDEN if git.hides_files else None


def _why_unproven(git: Git, head: Commit, base: Chosen | None, event: Event) -> str | None:
    if base is None:
        return NO_BASE_NAMED
    if (blind := _why_blind(git)) is not None:
        return blind
    default = default_branch(git, event)
    if default is None:
        return NO_DEFAULT_BRANCH
    if not git.is_ancestor(base.base.commit, default[1].sha):
        return OFF_DEFAULT_BRANCH
    if base.replaced and not git.on_first_parent_chain(base.base.commit, head.sha):
        return OFF_FIRST_PARENTS
    return None


def _moved(name: str, at_base: Mapping[str, Declaration], at_applied: Mapping[str, Declaration]) -> bool:
    base, applied = at_base.get(name), at_applied.get(name)
    return (base and base.manifest) != (applied and applied.manifest)


def _adopting(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    more = f" and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
    return (
        f"adopts {', '.join(names[:_NAMES_TOLD])}{more}: live already, and as it is declared here for the first time",
    )


def _unreadable(reader: Reader) -> tuple[str, ...]:
    if not reader.unreadable:
        return ()
    more = len(reader.unreadable) - 1
    return (f"passed over, as it doesn't parse: {reader.unreadable[0]}" + (f" and {more} more" if more else ""),)
