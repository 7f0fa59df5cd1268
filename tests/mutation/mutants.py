"""Every small way to break the functions and methods of a file, by mutmut's operators."""

import difflib
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType
from typing import Final, NamedTuple

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

_SPARED: Final = ("assert_never(", "raise AssertionError(", "strict=True", '"-inf"', '"inf"')
"""What says what can't happen, and words in which letters say the same large and small: nothing can tell them broken."""

_DECORATORS: Final = frozenset({"property", "staticmethod", "classmethod", "contextmanager", "asynccontextmanager"})
"""Those whose function is at hand behind what they make of it."""


class Mutant(NamedTuple):
    """One function, broken in one place.

    `lines` are those that run what is broken, `end` is the function's last one, counted from 1; `sound` and `broken` are
    the whole function, not indented.
    """

    file: str
    function: str
    lines: range
    end: int
    sound: str
    broken: str

    def __str__(self) -> str:
        compared = list(difflib.ndiff(self.sound.splitlines(), self.broken.splitlines()))
        changed = [f"  {line[0]} {line[2:].strip()}" for line in compared if line[0] in "-+"]
        return "\n".join([f"{self.file}:{self.lines[0]} {self.function}", *changed])

    def renamed(self, name: str) -> str:
        """The broken function under another name, to stand beside its like."""
        own = self.function.rpartition(".")[2]
        return self.broken.replace(f"def {own}(", f"def {name}(", 1)

    def code(self) -> CodeType:
        """The broken function's code, to be put in the place of the sound one's."""
        owner, _, name = self.function.rpartition(".")
        text = f"class {owner}:\n{textwrap.indent(self.broken, '    ')}" if owner else self.broken
        code = compile(text, self.file, "exec")
        for step in filter(None, (owner, name)):
            code = next(const for const in code.co_consts if isinstance(const, CodeType) and const.co_name == step)
        return code


def mutants_of(file: Path) -> Iterator[Mutant]:
    """All mutants of a file, from its top down."""
    wrapper = MetadataWrapper(cst.parse_module(file.read_text()))
    places = wrapper.resolve(PositionProvider)
    text = wrapper.module.code_for_node
    for name, function in _functions(wrapper.module):
        sound = function.with_changes(leading_lines=())
        finder = _Finder()
        function.body.visit(finder)
        for statement, node, broken in finder.found:
            mended = sound.deep_replace(node, broken)
            if isinstance(mended, cst.FunctionDef) and not _is_spared(text(statement), text(sound), text(mended)):
                lines = _lines(
                    places[statement], places.get(node), is_simple=isinstance(statement, cst.SimpleStatementLine)
                )
                yield Mutant(str(file), name, lines, places[function].end.line, text(sound), text(mended))


def _lines(statement: CodeRange, node: CodeRange | None, *, is_simple: bool) -> range:
    """A simple statement runs as a whole; of one that has a body only what is broken."""
    place = statement if is_simple or node is None else node
    return range(place.start.line, place.end.line + 1)


def _is_spared(statement: str, sound: str, broken: str) -> bool:
    """Whether the statement begins so, or the mutant takes such a thing out of the function."""
    return any(statement.strip().startswith(word) or sound.count(word) > broken.count(word) for word in _SPARED)


def _functions(module: cst.Module) -> Iterator[tuple[str, cst.FunctionDef]]:
    """Functions and methods by their names within the module."""
    for node in module.body:
        if isinstance(node, cst.ClassDef):
            yield from ((f"{node.name.value}.{each.name.value}", each) for each in _at_hand(node.body.body))
    yield from ((each.name.value, each) for each in _at_hand(module.body))


def _at_hand(body: Iterable[cst.CSTNode]) -> Iterator[cst.FunctionDef]:
    for node in body:
        if isinstance(node, cst.FunctionDef):
            makers = [one.decorator for one in node.decorators]
            if all(isinstance(maker, cst.Name) and maker.value in _DECORATORS for maker in makers):
                yield node


class _Finder(cst.CSTVisitor):
    """What can be broken in a function's body: the statement, the node in it, and another in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode, cst.CSTNode]] = []
        self._statements: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Parameters) or _is_docstring(node):
            return False
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self._statements.append(node)
        if self._statements:
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    self.found += [(self._statements[-1], node, broken) for broken in operator(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._statements and self._statements[-1] is original_node:
            self._statements.pop()


def _is_docstring(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString)
