"""Takes every API key that this process knows out of what it writes.

Values are cleaned before they are cut or escaped; a finished document value by value, since its text is code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.problem import Problem, SourceProblem

if TYPE_CHECKING:
    from reconciler.model.secret import ApiKey


_PASSING: Final = 4
"""So many of those that are replaced within the hour: older ones have expired, and looking for each takes its time."""


class Redactor:
    """The keys that are known so far, one after the other; each is shown nowhere from when it is kept on.

    Read by every thread that shows something, while others add to them: each change takes the place of what there was,
    whole.
    """

    def __init__(self) -> None:
        self._lasting: tuple[ApiKey, ...] = ()
        self._passing: tuple[ApiKey, ...] = ()

    def __iter__(self) -> "Iterator[ApiKey]":
        return iter((*self._lasting, *self._passing))

    def __bool__(self) -> bool:
        return bool(self._lasting or self._passing)

    def keep(self, key: "ApiKey") -> None:
        """Show this key nowhere from now on."""
        if key not in self._lasting:
            self._lasting = (*self._lasting, key)

    def keep_passing(self, key: "ApiKey") -> None:
        """Show this one nowhere, until several others have taken its place: it is replaced again and again."""
        if key not in self._passing:
            self._passing = (*self._passing, key)[-_PASSING:]

    def keep_all_of(self, environment: Mapping[str, str]) -> None:
        """Keep those that are at hand before anything asks for them: a manifest that holds one is shown without."""
        values = [value for name, value in environment.items() if name.startswith("MOMENTO_API_KEY")]
        for text in filter(None, map(str.strip, values)):
            from reconciler.model.secret import ApiKey  # noqa: PLC0415  # --help imports none of it

            self.keep(ApiKey(text))

    def text(self, text: str) -> str:
        """Text for people."""
        if not self:
            return text
        from reconciler.model.secret import redact  # noqa: PLC0415

        return redact(text, self)

    def document(self, text: str) -> str:
        """A document of JSON."""
        if not self:
            return text
        import json  # noqa: PLC0415

        from reconciler.model.secret import FINDING_WORDS, OWN_WORDS, may_be_in, redact_values  # noqa: PLC0415

        if not may_be_in(text, self):  # reading a large one takes several times its own memory
            return text
        from reconciler.report.json_text import json_text  # noqa: PLC0415

        document = json.loads(text)
        of_findings = isinstance(document, list) or "$schema" in document
        clean = redact_values(document, self, FINDING_WORDS if of_findings else OWN_WORDS)
        return text if clean == document else json_text(clean, one_line="\n" not in text.rstrip("\n"))

    def problem(self, problem: Problem) -> Problem:
        """A problem, before anybody cuts its texts."""
        remedy = problem.remedy and self.text(problem.remedy)
        clean = replace(problem, message=self.text(problem.message), remedy=remedy)
        return replace(clean, source=self.text(clean.source)) if isinstance(clean, SourceProblem) else clean
