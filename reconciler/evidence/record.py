"""The record's place: one ref a target, a chain of commits of its own, written only on top of what is there.

Two writers never lose each other's work: a ref is moved by compare-and-swap, and whoever comes second merges (`merge`).
Apart from every branch, so no checkout, no pull request and no branch protection is in its way.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Final
from urllib.parse import quote

from reconciler.errors import GitError
from reconciler.evidence.format import CLUSTERS_FILE, LARGEST, TARGET_FILE, files_of, record_of
from reconciler.evidence.git import Commit, Git, RefUpdate
from reconciler.evidence.merge import merge
from reconciler.evidence.objects import object_id
from reconciler.evidence.remote import Push, Remote
from reconciler.model.command import command_word
from reconciler.model.record import Apply, Record, is_sandbox
from reconciler.model.text import printable

RECORDS: Final = "refs/reconciler/record/"

ATTEMPTS: Final = 10
"""How often a writer tries again that others were faster than; each time it has their work in its own."""

ABOUT_TO_APPLY: Final = "about to apply"
"""What is written before the first request begins with it."""

_MOST_PASSED_OVER = 100

_REVISION = "Revision: "
_RUN = "Run: "
_TRAILER = re.compile(r"Revision: ([0-9a-f]{40}|[0-9a-f]{64})(?: of (\d{1,12}))?")
"""With the commit's own moment, in epoch seconds: a clone that is cut short can't look it up."""


def ref_of(target: str, endpoint: str) -> str:
    """The ref of a target's record; what a ref can't hold is percent-encoded."""
    name = quote(target, safe="", errors="surrogatepass").replace("~", "%7E").replace("..", "%2E%2E")
    name = f"%2E{name[1:]}" if name.startswith(".") else name
    return f"{RECORDS}{name}-{hashlib.sha256(endpoint.encode(errors='surrogatepass')).hexdigest()[:8]}"


class Records:
    """All records of a clone. `run` names this run in the commits that it writes."""

    def __init__(self, git: Git, run: str) -> None:
        self._git = git
        self._run = printable(run)
        self._by_commit: dict[str, Record] = {}

    def all(self) -> tuple[Record, ...]:
        """Every record of this clone, by ref. Raises GitError for one that can't be read."""
        return tuple(self._at_ref(ref, sha) for ref, sha in self._git.refs(RECORDS).items())

    def read(self, target: str, endpoint: str) -> Record | None:
        """A target's record; None where this clone has none. Raises GitError for one that can't be read."""
        ref = ref_of(target, endpoint)
        sha = self._git.ref(ref)
        return self._at_ref(ref, sha) if sha is not None else None

    def applies(self, record: Record, most: int) -> tuple[Apply, ...]:
        """The last applies that a record's chain tells of, the newest first; of one that never ended what it was about.

        What others did meanwhile, and was merged in, is not among them; nor what lies behind a hundred killed runs.
        """
        chain = islice(self._chain(record.commit), most + _MOST_PASSED_OVER)
        told = ((commit, commit.message.partition("\n")[0].partition(": ")[2]) for commit in chain)
        applies = (
            Apply(commit.at, outcome, _revision(commit)[0], _run(commit))
            for commit, outcome in told
            if commit.sha == record.commit or not outcome.startswith(ABOUT_TO_APPLY)
        )
        return tuple(islice(applies, most))

    def _chain(self, tip: str | None) -> Iterator[Commit]:
        """The commits from a tip on, each before its parent."""
        sha = tip
        while sha is not None and (commit := self._git.commit(sha)) is not None:
            yield commit
            sha = commit.parents[0] if commit.parents else None

    def write(self, record: Record, message: str) -> Record:
        """Write a record on top of what is there by now, merged where that is newer than what it was read from.

        `message` counts the outcomes. Nothing is written where nothing has changed. One that was renamed takes its
        chain along, and its old ref goes; one that another run has renamed since it was read is written under the name
        that it has now. Raises GitError, the record being as it was.
        """
        record = self._as_named_now(record)
        ref = _ref_of(record)
        old = ref_of(record.renamed_from, record.endpoint) if record.renamed_from is not None else ref
        for _ in range(ATTEMPTS):
            tips = {one: self._git.ref(one) for one in dict.fromkeys((ref, old))}
            self._refuse_no_commit({one: tip for one, tip in tips.items() if tip is not None})
            merged = record
            for tip in filter(None, tips.values()):
                merged = self._with(merged, tip, since=record.commit)
            parents = [*filter(None, tips.values())] or [*filter(None, [record.commit])]
            written = self._commit(merged, parents, message)
            updates = [RefUpdate(one, tip, written.commit if one == ref else None) for one, tip in tips.items()]
            if self._move(updates):
                return written
        raise GitError(f"other runs changed {ref} again and again", remedy="let the other runs end, and run again")

    def _as_named_now(self, record: Record) -> Record:
        since = record.commit
        if since is None or record.renamed_from is not None or self._git.ref(_ref_of(record)) is not None:
            return record
        for one in self.all():
            if one.endpoint == record.endpoint and one.commit and self._git.is_known_ancestor(since, one.commit):
                return record._replace(target=one.target)
        return record

    def fetch(self, remote: str) -> None:
        """Bring a server's records here, each merged into ours. Raises GitError."""
        self._fetch(Remote(self._git.command, remote))

    def push(self, remote: str, records: Collection[Record]) -> tuple[Record, ...]:
        """Push records, merged with what the server has by now; they come back as they are then.

        A ref that was renamed here goes there too. Those of embedded sandboxes stay here. Raises GitError.
        """
        refs = [_ref_of(one) for one in records if not is_sandbox(one.endpoint)]
        if refs:
            self._push(Remote(self._git.command, remote), refs)
        return tuple(self.read(one.target, one.endpoint) or one for one in records)

    def _push(self, server: Remote, refs: Collection[str]) -> None:
        for _ in range(ATTEMPTS):
            theirs, ours = self._fetch(server), self._git.refs(RECORDS)
            pushes = [Push(ref, ours[ref]) for ref in refs if ref in ours and theirs.get(ref) != ours[ref]]
            gone = self._renamed(theirs, ours)
            pushes += [Push(ref, None, theirs[ref]) for ref, to in gone.items() if to in refs]
            if not pushes or server.push(pushes):
                return
        raise GitError(
            f"the record couldn't be pushed to {server.name}: other runs pushed first, {ATTEMPTS} times",
            remedy="run again when the other runs have ended",
        )

    def _fetch(self, server: Remote) -> Mapping[str, str]:
        """What the server has, by ref, now that all of it is in ours."""
        for _ in range(ATTEMPTS):
            theirs = server.refs(RECORDS)
            missing = [ref for ref, sha in theirs.items() if self._git.kind(sha) != "commit"]
            if missing:
                server.fetch(missing)
                self._refuse_no_commit(theirs, server.name)
            if all(self._git.kind(theirs[ref]) == "commit" for ref in missing) and self._take(theirs):
                return theirs
        raise GitError(
            f"other runs changed the records of {server.name} again and again",
            remedy="run again when other runs have ended",
        )

    def _take(self, theirs: Mapping[str, str]) -> bool:
        """Merge what was fetched into ours; False where a ref of ours moved meanwhile."""
        ours = self._git.refs(RECORDS)
        self._refuse_no_commit(ours)
        renamed_here, renamed_there = self._renamed(theirs, ours), self._renamed(ours, theirs)
        for ref, sha in theirs.items():
            into = renamed_here.get(ref, ref)
            if not self._take_one(into, self._git.ref(into), sha):
                return False
        for ref, into in renamed_there.items():
            taken = self._git.ref(into)
            if not self._take_one(into, taken, ours[ref]) or not self._git.move([RefUpdate(ref, ours[ref], None)]):
                return False
        return True

    def _take_one(self, ref: str, ours: str | None, theirs: str) -> bool:
        if ours is not None and self._git.is_ancestor(theirs, ours):
            return True
        if ours is None or self._git.is_ancestor(ours, theirs):
            self._at_ref(ref, theirs)  # what can't be read is never taken
            return self._git.move([RefUpdate(ref, ours, theirs)])
        merged = self._with(self._at_ref(ref, ours), theirs, since=ours)
        written = self._commit(merged, [ours, theirs], f"{merged.target}: merged with what others have applied")
        return self._git.move([RefUpdate(ref, ours, written.commit)])

    def _renamed(self, here: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
        """The refs of one side that the other has renamed, and their new names: one chain began as the other's."""
        return {
            ref: to
            for ref, sha in here.items()
            if ref not in there
            for to, other in there.items()
            if ref.rpartition("-")[2] == to.rpartition("-")[2]
            and (met := self._git.merge_base(sha, other)) is not None
            and (met == sha or to not in here)
            and _ref_of(self._at(met)) == ref
        }

    def _with(self, record: Record, tip: str, *, since: str | None) -> Record:
        """A record, read at one commit of its chain, merged with another commit that it may not have seen."""
        if since == tip:
            return record
        met = self._git.merge_base(since, tip) if since is not None else None
        known = lru_cache(maxsize=None)(self._git.is_known_ancestor)
        return merge(self._at(met) if met is not None else None, record, self._at(tip, _ref_of(record)), known)

    def _commit(self, record: Record, parents: Iterable[str], message: str) -> Record:
        """The record as a commit, or its parent where that says the same."""
        above = [parent for parent in map(self._git.commit, dict.fromkeys(parents)) if parent is not None]
        files = files_of(record)
        if (
            len(above) == 1
            and above[0].tree == _tree_id(files, above[0].tree)
            and _revision(above[0])[0] == record.revision
        ):
            return record._replace(commit=above[0].sha, renamed_from=None)
        trailers = [*self._revision_trailer(record), f"{_RUN}{self._run}"]
        text = "\n".join([printable(message), "", *trailers, ""])
        made = self._git.write_commit(files, [parent.sha for parent in above], text)
        return record._replace(commit=made, renamed_from=None)

    def _revision_trailer(self, record: Record) -> list[str]:
        if record.revision is None:
            return []
        known = self._git.commit(record.revision)
        at = known.at if known is not None else record.revision_at
        return [f"{_REVISION}{record.revision}" + (f" of {at:.0f}" if at is not None else "")]

    def _refuse_no_commit(self, tips: Mapping[str, str], remote: str | None = None) -> None:
        """Raise GitError for a ref, here or on a server, that points to something else: only a person makes one so."""
        for ref, sha in tips.items():
            if (kind := self._git.kind(sha)) not in {"commit", None}:
                where, taking = f"of {remote}", f"push {remote} {command_word(f':{ref}')}"
                if remote is None:
                    where, taking = "of this clone", f"update-ref -d {command_word(ref)}"
                raise GitError(
                    f"{printable(ref)} {where} is no commit, but a {kind}",
                    remedy=f"was it written by hand? `git {taking}` takes it away",
                )

    def _move(self, updates: Collection[RefUpdate]) -> bool:
        changes = [one for one in updates if one.was != one.to]
        return not changes or self._git.move(changes)

    def _at_ref(self, ref: str, sha: str) -> Record:
        record = self._at(sha, ref)
        if _ref_of(record) != ref:
            raise GitError(
                f"{ref} holds the record of another target, {printable(record.target)} at {printable(record.endpoint)}",
                remedy=f"was it copied by hand? `git update-ref -d {command_word(ref)}` takes it away",
            )
        return record

    def _at(self, sha: str, ref: str | None = None) -> Record:
        """The record that a commit of a chain holds, which never changes: read once."""
        if sha not in self._by_commit:
            self._by_commit[sha] = self._parsed(sha, ref)
        return self._by_commit[sha]

    def _parsed(self, sha: str, ref: str | None) -> Record:
        where = f"the record {ref or sha[:10]}"
        commit = self._git.commit(sha)
        if ref is not None and (commit is None or commit.sha != sha):  # a tag stands for its commit, and isn't one
            self._refuse_no_commit({ref: sha})
        names = (TARGET_FILE, CLUSTERS_FILE)
        try:
            contents = dict(zip(names, self._git.blobs((f"{sha}:{name}" for name in names), LARGEST), strict=True))
        except GitError as error:
            raise GitError(f"{where} can't be read: {error.message}", remedy=error.remedy) from error
        revision, at = _revision(commit) if commit else (None, None)
        return record_of(contents, where, revision=revision, commit=sha)._replace(revision_at=at)


def _ref_of(record: Record) -> str:
    return ref_of(record.target, record.endpoint)


def _revision(commit: Commit) -> tuple[str | None, float | None]:
    """The commit that was last applied, and its moment: the trailer that stands in the last paragraph alone."""
    last = commit.message.rstrip("\n").rpartition("\n\n")[2]
    found = next((match for line in last.split("\n") if (match := _TRAILER.fullmatch(line))), None)
    return (found[1], float(found[2]) if found[2] else None) if found is not None else (None, None)


def _run(commit: Commit) -> str:
    """The run that wrote it; empty where it doesn't say."""
    lines = commit.message.rstrip("\n").rpartition("\n\n")[2].split("\n")
    return next((line.removeprefix(_RUN) for line in lines if line.startswith(_RUN)), "")


def _tree_id(files: Mapping[str, bytes], like: str) -> str:
    """The hash of the tree that would hold these files."""
    entries = (
        b"100644 %s\x00%s" % (n.encode(), bytes.fromhex(object_id("blob", files[n], like))) for n in sorted(files)
    )
    return object_id("tree", b"".join(entries), like)
