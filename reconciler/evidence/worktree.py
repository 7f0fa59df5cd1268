"""Manifests of the work tree, and whether a commit has them: hashed here as they are read, since git would run filters.

Only manifests count: neither a README, nor an editor's swap file, nor the index says what is applied. Line ends don't:
a checkout may have converted them, and to YAML all are one.
"""

from collections.abc import Iterable, Iterator

from reconciler.desired.files import Beside, Folder
from reconciler.evidence.objects import object_id
from reconciler.evidence.revision import Tree
from reconciler.problem import Problem


class WorkTree:
    """The files of a folder, and of each that was read the blobs that it would be. `like` is any hash of git's."""

    def __init__(self, folder: Folder, like: str) -> None:
        self.root = folder.root
        self._folder = folder
        self._like = like
        self._blobs: dict[str, tuple[str, ...]] = {}

    @property
    def beside(self) -> Beside:
        """What else the folder holds."""
        return self._folder.beside

    def names(self) -> list[str]:
        """Every manifest file, in the order of the folders."""
        return self._folder.names()

    def read(self, names: Iterable[str]) -> Iterator[bytes | Problem]:
        """Their contents, in order, or why one can't be read."""
        asked = [*names]
        for name, data in zip(asked, self._folder.read(asked), strict=True):
            if isinstance(data, bytes):
                forms = (data, _with_plain_ends(data)) if b"\r\n" in data else (data,)
                self._blobs[name] = tuple(map(self._as_blob, forms))
            yield data

    def has_folder(self, name: str) -> bool:
        """Whether there is such a folder."""
        return self._folder.has_folder(name)

    def differs_from(self, tree: Tree) -> bool:
        """Whether what was read is otherwise than a commit has it: changed, missing, untracked or ignored alike."""
        if {*self.names()} != {*tree.names()}:
            return True
        return not all(self._is_same(name, tree) for name in tree.names())

    def _is_same(self, name: str, tree: Tree) -> bool:
        mine = self._blobs.get(name, ())
        if tree.blob(name) in mine:
            return True
        (data,) = tree.read([name])
        return isinstance(data, bytes) and self._as_blob(_with_plain_ends(data)) in mine

    def _as_blob(self, data: bytes) -> str:
        return object_id("blob", data, self._like)


def _with_plain_ends(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")
