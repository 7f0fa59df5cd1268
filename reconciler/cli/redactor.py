"""Takes every API key that this process knows out of what it writes.

Values are cleaned before they are cut or escaped; a finished document value by value, since its text is code.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.problem import Problem, SourceProblem

if TYPE_CHECKING:
    from reconciler.model.secret import ApiKey


class Redactor:
    """The keys that are known so far; each is shown nowhere from when it is kept on."""

    def __init__(self) -> None:
        self.keys: set[ApiKey] = set()

    def keep(self, key: "ApiKey") -> None:
        """Show this key nowhere from now on."""
        self.keys.add(key)

    def keep_all_of(self, environment: Mapping[str, str]) -> None:
        """Keep those that are at hand before anything asks for them: a manifest that holds one is shown without."""
        values = [value for name, value in environment.items() if name.startswith("MOMENTO_API_KEY")]
        for text in filter(None, map(str.strip, values)):
            from reconciler.model.secret import ApiKey  # noqa: PLC0415  # --help imports none of it

            self.keep(ApiKey(text))

    def text(self, text: str) -> str:
        """Text for people."""
        if not self.keys:
            return text
        from reconciler.model.secret import redact  # noqa: PLC0415

        return redact(text, self.keys)

    def document(self, text: str) -> str:
        """A document of JSON."""
        if not self.keys:
            return text
        import json  # noqa: PLC0415

        from reconciler.model.secret import FINDING_WORDS, OWN_WORDS, redact_values  # noqa: PLC0415
        from reconciler.report.json_text import json_text  # noqa: PLC0415

        document = json.loads(text)
        of_findings = isinstance(document, list) or "$schema" in document
        clean = redact_values(document, self.keys, FINDING_WORDS if of_findings else OWN_WORDS)
        return text if clean == document else json_text(clean, one_line="\n" not in text.rstrip("\n"))

    def problem(self, problem: Problem) -> Problem:
        """A problem, before anybody cuts its texts."""
        remedy = problem.remedy and self.text(problem.remedy)
        clean = replace(problem, message=self.text(problem.message), remedy=remedy)
        return replace(clean, source=self.text(clean.source)) if isinstance(clean, SourceProblem) else clean
