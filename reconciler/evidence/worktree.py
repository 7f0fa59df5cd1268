"""Whether manifests of the work tree are as a commit has them: files hashed here, since git would run filters on them.

Only manifests count: neither a README, nor an editor's swap file, nor the index says what is applied. Line ends don't:
a checkout may have converted them, and to YAML all are one.
"""

import os
from collections.abc import Callable, Iterator, Mapping

from reconciler.desired.files import is_manifest, read_file
from reconciler.evidence.objects import object_id


def differing(folder: str, committed: Mapping[str, str], read_blob: Callable[[str], bytes]) -> Iterator[str]:
    """The manifests that differ, by path below the folder; `committed` is the blob of each that the commit has."""
    expected = {path: blob for path, blob in committed.items() if is_manifest(path)}
    for path in _manifests(folder):
        blob = expected.pop(path, None)
        if blob is None or not _is_same(read_file(os.path.join(folder, path), path), blob, read_blob):  # noqa: PTH118
            yield path
    yield from expected


def _is_same(data: object, blob: str, read_blob: Callable[[str], bytes]) -> bool:
    if not isinstance(data, bytes):
        return False
    plain = _with_plain_ends(data)
    if blob in (object_id("blob", content, blob) for content in dict.fromkeys((data, plain))):
        return True
    return plain == _with_plain_ends(read_blob(blob))


def _with_plain_ends(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def _manifests(folder: str) -> Iterator[str]:
    """Every manifest below the folder, links among them; a folder that can't be listed has none."""
    folders = [""]
    while folders:
        below = folders.pop()
        try:
            with os.scandir(f"{folder}/{below}") as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                        folders.append(f"{below}{entry.name}/")
                    elif is_manifest(entry.name):
                        yield f"{below}{entry.name}"
        except OSError:
            continue
