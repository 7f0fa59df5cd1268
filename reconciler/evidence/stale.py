"""Whether HEAD is too old to be applied: an old job that runs again must not undo newer work."""

from collections.abc import Iterable

from reconciler.errors import StaleHead
from reconciler.event import WorkflowEvent
from reconciler.evidence.base import default_branch
from reconciler.evidence.git import Commit, Git
from reconciler.evidence.remote import Remote
from reconciler.model.record import Record

_REMEDY = "run again on the newest commit; or say that going back is meant, with --allow stale-head"


def refuse_stale_head(
    git: Git, head: Commit, records: Iterable[Record], event: WorkflowEvent, remote: str | None
) -> None:
    """Raise StaleHead if HEAD is behind what was applied, or behind its own branch.

    The branch's tip is asked of the remote where one is named, since a checkout may have moved what it knows of it: the
    real one fetches its own commit by force into the remote-tracking branch. Else it is as far as the clone knows.
    """
    for record in records:
        newer = _newer_applied(git, head, record, event)
        if newer is not None:
            message = f"HEAD {head.sha[:10]} is older than {newer[:10]}, which was applied to target {record.target}"
            raise StaleHead(message, remedy=_REMEDY, target=record.target)
    branch = git.branch() or event.branch
    if not branch:
        return
    if remote is not None:
        tip = Remote(git.command, remote).tip(branch)
        behind = tip is not None and tip != head.sha and (git.commit(tip) is None or _is_behind(git, head, tip))
    else:
        known = git.commit(f"refs/remotes/origin/{branch}")
        tip = known.sha if known else None
        behind = tip is not None and tip != head.sha and _is_behind(git, head, tip)
    if behind and tip is not None:
        raise StaleHead(f"HEAD {head.sha[:10]} is behind {branch}, which is at {tip[:10]}", remedy=_REMEDY)


def _newer_applied(git: Git, head: Commit, record: Record, event: WorkflowEvent) -> str | None:
    """A commit of the record that is ahead of HEAD, and that the default branch has; by dates where history is cut."""
    applied = {sha for sha in (record.revision, *(line.commit for line in record.lines.values())) if sha}
    known = {sha for sha in applied if git.commit(sha) is not None} - {head.sha}
    default = default_branch(git, event)
    beyond = git.beyond(head.sha, [default[1].sha] if default else known)
    ahead = (sha for sha in sorted(known & beyond) if git.is_ancestor(head.sha, sha))
    cut = git.shallow and record.revision in applied - known and (record.revision_at or 0.0) > head.at
    return next(ahead, record.revision if cut else None)


def _is_behind(git: Git, head: Commit, tip: str) -> bool:
    """Whether a commit contains HEAD and more; where history is cut between them, by their dates."""
    newer = git.commit(tip)
    if git.is_ancestor(head.sha, tip):
        return True
    return git.shallow and newer is not None and newer.at > head.at and git.merge_base(head.sha, tip) is None
