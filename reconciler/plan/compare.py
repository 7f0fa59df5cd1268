"""What differs between head and live, before anyone asks why."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.model.cluster import ACTIVE, DELETING, LiveCluster
from reconciler.model.declaration import Declaration
from reconciler.model.fleet import Head
from reconciler.plan.body import update_body, update_risks
from reconciler.plan.change import Create, Delete, DeleteRequest, FieldChange, PutRequest, Source, Update
from reconciler.plan.difference import differing_fields
from reconciler.plan.digest import live_digest
from reconciler.plan.view import declared_view, field_paths, live_view, managed_fields


@dataclass(frozen=True, slots=True)
class Comparison:
    """One target's head against its live clusters; everything by name.

    `changes` are what head asks for; `settled` is declared and needs none. `undeclared` are live clusters that no
    target of this endpoint declares and that aren't on their way out already. `unhealthy` are live clusters with errors
    or a failed status.
    """

    changes: tuple[Create | Update, ...]
    settled: tuple[Declaration, ...]
    undeclared: tuple[LiveCluster, ...]
    unhealthy: tuple[LiveCluster, ...]


def compare(head: Head, live: Iterable[LiveCluster], selects: Callable[[str], bool] = lambda _name: True) -> Comparison:
    """Compare; `selects` says of a name whether it is looked at (`--only`)."""
    listed = {cluster.name: cluster for cluster in sorted(live, key=lambda cluster: cluster.name)}
    declared = {name: head.declarations[name] for name in sorted(head.declarations) if selects(name)}
    changes = [compare_cluster(declaration, listed.get(name)) for name, declaration in declared.items()]
    ours = [c for name, c in listed.items() if selects(name) and (name in declared or name not in head.elsewhere)]
    return Comparison(
        changes=tuple(change for change in changes if change),
        settled=tuple(declared[name] for name, change in zip(declared, changes, strict=True) if change is None),
        undeclared=tuple(c for c in ours if c.name not in declared and c.status != DELETING),
        unhealthy=tuple(cluster for cluster in ours if cluster.unhealthy),
    )


def compare_cluster(declaration: Declaration, live: LiveCluster | None) -> Create | Update | None:
    """What head asks for one cluster; None where nothing differs, or where nothing can be sent.

    A cluster that is unhealthy and not `Active` takes no update: it has to be deleted first, and that is never done
    unasked.
    """
    if live is None or live.status == DELETING:
        return _create(declaration, waits=live is not None)
    manifest = declaration.manifest
    wanted = declared_view(manifest, managed_fields(manifest))
    fields = differing_fields(live_view(live, wanted), wanted)
    if not fields or (live.unhealthy and live.status != ACTIVE):
        return None
    body, let_go = update_body(manifest, live)
    return Update(
        name=declaration.name,
        source=_source(declaration),
        fields=tuple(_with_line(field, declaration) for field in fields),
        managed=tuple(path for path, _ in field_paths(wanted)),
        risks=update_risks(body, live, fields, let_go=let_go),
        waits_for="active" if live.in_transition else None,
        requests=(PutRequest(path=cluster_path(declaration.name), body=body),),
        live_digest=live_digest(live),
    )


def delete(live: LiveCluster) -> Delete:
    """The change that deletes a live cluster."""
    return Delete(
        name=live.name, requests=(DeleteRequest(path=cluster_path(live.name)),), live_digest=live_digest(live)
    )


def cluster_path(name: str) -> str:
    """The request path of a cluster, whatever its name holds."""
    return f"/cluster/{quote(name, safe='')}"


def _create(declaration: Declaration, *, waits: bool) -> Create:
    manifest = declaration.manifest
    body = manifest.configuration()
    fields = (
        FieldChange(path=path, before=None, after=value)
        for path, value in field_paths(declared_view(body, body.model_dump()))
    )
    return Create(
        name=declaration.name,
        source=_source(declaration),
        fields=tuple(_with_line(field, declaration) for field in fields),
        managed=tuple(path for path, _ in field_paths(declared_view(manifest, managed_fields(manifest)))),
        waits_for="gone" if waits else None,
        requests=(PutRequest(path=cluster_path(declaration.name), body=body),),
    )


def _source(declaration: Declaration) -> Source:
    return Source(file=declaration.file, line=declaration.line)


def _with_line(field: FieldChange, declaration: Declaration) -> FieldChange:
    return field.model_copy(update={"line": declaration.line_of(field.path)})
