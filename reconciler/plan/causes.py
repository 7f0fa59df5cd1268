"""Why a field or a cluster differs: four readings, A applied, B base, H head, L live.

    L = A, B ≠ H   revision   this change does it
    L = A, B = H   pending    merged, not applied yet
    L ≠ A, H = A   drift      changed behind git's back
    L ≠ A, H ≠ A   conflict   would overwrite a change that nobody reviewed

What A left out, or ignored, counts as L = A: it was not managed. Where A is unknown it is inferred: base's value, save
where live still has what the field's last change replaced, less than 30 days ago; then that.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from reconciler.model.declaration import Declaration
from reconciler.model.evidence import ClusterEvidence, Evidence
from reconciler.plan.change import Cause, Create, Delete, FieldChange, FieldValue, Source, Update
from reconciler.plan.view import managed_values

CAUSES: Final[tuple[Cause, ...]] = ("conflict", "drift", "pending", "revision")
"""In this order the first among its fields' is a change's own."""

STILL_FRESH_SECONDS: Final = 30 * 86400.0
"""How long a change that live doesn't show yet is taken for one that is not applied yet."""

_Values: TypeAlias = Mapping[str, FieldValue]


def explain_update(update: Update, evidence: Evidence, now: float) -> Update:
    """The update with a cause on every field, and whether it adopts the cluster."""
    if not evidence.explains:
        return update
    of = evidence.of(update.name)
    known = evidence.knows_applied
    fields = tuple(_explain_field(field, of, now, known=known) for field in update.fields)
    adopts = (of.applied if known else of.base) is None
    return update.model_copy(update={"fields": fields, "cause": first_cause(fields), "adopts": adopts})


def explain_create(create: Create, evidence: Evidence) -> Create:
    """The create with its cause: without a known A it can't be told from a delete behind git's back."""
    if not evidence.explains:
        return create
    of = evidence.of(create.name)
    cause: Cause = "drift" if of.applied else "pending" if of.base else "revision"
    fields = tuple(
        field.model_copy(
            update={"cause": cause, "commit": _setting_commit(field.path, of) if cause == "pending" else None}
        )
        for field in create.fields
    )
    return create.model_copy(update={"fields": fields, "cause": cause})


def explain_delete(delete: Delete, evidence: Evidence) -> Delete:
    """The delete with its cause, where the cluster last was declared, and the commit that removed it."""
    if not evidence.explains:
        return delete
    of = evidence.of(delete.name)
    stood = of.last or of.applied
    removal = of.removal
    source = Source(file=stood.file, line=stood.line, commit=removal.commit if removal else None) if stood else None
    return delete.model_copy(update={"cause": "revision" if of.base else "pending", "source": source})


def first_cause(fields: Iterable[FieldChange]) -> Cause | None:
    """A change's own cause."""
    found = {field.cause for field in fields}
    return next((cause for cause in CAUSES if cause in found), None)


def _explain_field(field: FieldChange, of: ClusterEvidence, now: float, *, known: bool) -> FieldChange:
    base, applied = _values(of.base), _values(of.applied)
    path, live, head = field.path, field.before, field.after
    if known:
        untouched = path not in applied or applied[path] == live
        was = applied.get(path)
    else:
        untouched = path not in base or base[path] == live or _not_applied_yet(path, live, of, now)
        was = base.get(path)
    if not untouched:
        return field.model_copy(update={"cause": "drift" if was == head else "conflict"})
    if path in base and base[path] == head:
        return field.model_copy(update={"cause": "pending", "commit": _setting_commit(path, of)})
    return field.model_copy(update={"cause": "revision"})


def _not_applied_yet(path: str, live: FieldValue, of: ClusterEvidence, now: float) -> bool:
    """Whether live still has what the field's last change replaced, not long ago."""
    for revision in of.history:
        if revision.before is None or revision.after is None:
            return False
        before, after = _values(revision.before), _values(revision.after)
        if before.get(path) != after.get(path):
            return now - revision.at < STILL_FRESH_SECONDS and (path not in before or before[path] == live)
    return False


def _setting_commit(path: str, of: ClusterEvidence) -> str | None:
    """The last commit that changed the value, or added the whole cluster."""
    setting = (
        revision.commit
        for revision in of.history
        if revision.before is None or _values(revision.before).get(path) != _values(revision.after).get(path)
    )
    return next(setting, None)


def _values(declaration: Declaration | None) -> _Values:
    """Every managed value by its path; empty where there is no declaration."""
    return {} if declaration is None else managed_values(declaration.manifest)
