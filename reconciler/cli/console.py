"""Everything that a command reads from and tells the world around it, in one object that is made once a process.

Streams, colour, logs, signals, GitHub, the file of `--out`. Nothing here raises because something can't be told: a run
that is under way goes on, and `untold` makes it end in 1.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TextIO

from reconciler.cli.redactor import Redactor
from reconciler.cli.settings import Settings
from reconciler.cli.signals import Signals
from reconciler.cli.streams import OutStream
from reconciler.errors import DamagedPlan, OutputError, UsageError
from reconciler.problem import Problem

if TYPE_CHECKING:
    from reconciler.apply.machine import Progress
    from reconciler.cli.github import Github
    from reconciler.report.look import Look
    from reconciler.report.style import Style


class Console:
    """The one writer of stdout and stderr. Both take every API key of this process out first.

    `settings` are those of a bare command until the command line is understood.
    """

    def __init__(
        self,
        stdin: TextIO | None,
        stdout: TextIO | None,
        stderr: TextIO | None,
        environment: Mapping[str, str],
        signals: Signals,
        settings: Settings,
    ) -> None:
        self.stdout = OutStream(stdout)
        self.stderr = OutStream(stderr)
        self.signals = signals
        self.settings = settings
        self.environment = environment
        self.run_id = os.urandom(6).hex()
        self.is_configured = False
        self.has_result = False
        self.unsaved = False
        self.redactor = Redactor()
        self._stdin = stdin

    def configure(self, settings: Settings) -> None:
        """Take what the command line says, and send all events of this process to stderr: once, before the command.

        Raises UsageError where the file of `--out` can't be written.
        """
        from reconciler.cli.log_lines import line_of  # noqa: PLC0415  # --help imports none of it
        from reconciler.clock import SystemClock, iso_timestamp  # noqa: PLC0415
        from reconciler.logs import configure  # noqa: PLC0415

        self.settings = settings._replace(out=None)
        self.is_configured = True
        self.redactor.keep_all_of(self.environment)
        is_json = settings.log_format == "json" or (settings.log_format == "auto" and not self.stderr.isatty())
        configure(
            self.stderr.write,
            level="error" if settings.quiet else settings.log_level,
            render=line_of(as_json=is_json, keys=self.redactor),
            timestamp=lambda: iso_timestamp(SystemClock().now()),
            run_id=self.run_id,
            is_shown=lambda level: not self.stderr.status or level not in {"debug", "info"},
        )
        if settings.out is not None:
            from reconciler.cli.files import refuse_unwritable  # noqa: PLC0415

            refuse_unwritable(settings.out)
            self.settings = settings

    # What the command line asks for

    @property
    def color(self) -> bool:
        """Whether stdout gets colour."""
        return self._wants_color(self.stdout)

    @property
    def look(self) -> "Look":
        """How a result is shown on stdout."""
        from reconciler.report.look import Look  # noqa: PLC0415

        return Look(color=self.color, one_line=self.settings.one_line)

    @property
    def saves(self) -> bool:
        """Whether a document may be kept: in a file, or by whoever reads JSON from stdout."""
        return self.settings.out is not None or self.settings.format_name == "json"

    @property
    def only_events(self) -> bool:
        """Whether every line of stderr is a JSON event: then nothing is written there for people."""
        return self.settings.log_format == "json"

    @property
    def github(self) -> "Github | None":
        """The workflow's step that is told what happens; None elsewhere, or where it shall not be."""
        if self.settings.no_github or self.environment.get("GITHUB_ACTIONS") != "true":
            return None
        from pathlib import Path  # noqa: PLC0415  # only on GitHub

        from reconciler.cli.github import Github  # noqa: PLC0415

        try:
            return Github.read(self.environment, Path.cwd())
        except (OSError, RuntimeError):  # a folder that is gone, a link that loops: nobody could say where paths start
            return Github.read({**self.environment, "GITHUB_WORKSPACE": "/"}, Path("/"))

    # stdout, and the file of --out

    def result(self, text: str) -> None:
        """Write a command's result to stdout."""
        self.has_result = True
        is_document = self.settings.format_name in {"json", "sarif", "codequality"}
        self.stdout.write(self.redactor.document(text) if is_document else self.redactor.text(text))

    def save(self, document: Callable[[], str]) -> None:
        """Write a document of JSON to the file of `--out`, if there is one."""
        if self.settings.out is None:
            return
        from reconciler.cli.files import save  # noqa: PLC0415
        from reconciler.plan.document import refuse_excess  # noqa: PLC0415

        text = self.redactor.document(document())
        try:
            save(self.settings.out, text, unique=self.run_id)
            refuse_excess(text)
        except OutputError as error:
            self.unsaved = True
            self.problems(error.problems())
        except DamagedPlan as error:
            message = f"{self.settings.out} is written, and no command will read it: {error.message}"
            self.warn("output.too-large", message, remedy=error.remedy)

    @property
    def untold(self) -> bool:
        """Whether somebody doesn't get what the command was to give: the disk is full, or the reader has gone."""
        return self.unsaved or self.stdout.failure is not None

    def tell_failure_of_stdout(self) -> None:
        """Say why stdout didn't get everything; that nobody reads it any more is no news to whoever has left."""
        failure = self.stdout.failure
        if failure is not None and not isinstance(failure, BrokenPipeError):
            message = f"stdout can't be written: {failure.strerror}"
            self.problems(OutputError(message, remedy="make room, or write elsewhere").problems())

    # stderr

    def tell(self, text: str) -> None:
        """Write to a person; where every line is an event, there is none to be told."""
        if not self.only_events:
            self.stderr.write(self.redactor.text(text))

    @contextmanager
    def progress(self, doing: str) -> "Iterator[Callable[[Progress], None]]":
        """One line of a terminal, rewritten, that takes the place of events about what goes well."""

        def show(progress: "Progress") -> None:
            from reconciler.cli.progress import progress_text  # noqa: PLC0415  # a plan has none

            self.stderr.show_status(progress_text(doing, progress))

        def nowhere(_progress: "Progress") -> None:
            pass

        if self._rewrites:
            self.stderr.show_status(doing)
        try:
            yield show if self._rewrites else nowhere
        finally:
            if self.stderr.status:
                self.stderr.show_status("")

    @property
    def _rewrites(self) -> bool:
        """Whether stderr is a terminal whose last line can be rewritten, and somebody wants to see it."""
        settings = self.settings
        return (
            self.stderr.isatty()
            and self.environment.get("TERM") != "dumb"
            and not (settings.quiet or self.only_events)
            and settings.log_level == "info"
        )

    def warn(self, event: str, message: str, *, remedy: str | None = None) -> None:
        """Tell what the result doesn't hold, as text or as an event; not to who wants errors alone."""
        if self.only_events:
            import structlog  # noqa: PLC0415

            structlog.get_logger().warning(event, message=message, remedy=remedy)
            return
        if self.settings.quiet:
            return
        from reconciler.model.text import printable  # noqa: PLC0415

        next_step = f"\n  → {printable(remedy)}" if remedy else ""
        self.tell(f"warning: {printable(self.redactor.text(message))}{next_step}\n")

    def problems(self, problems: Iterable[Problem]) -> None:
        """Tell what is wrong, and what to do about it; on GitHub beside the lines of the manifests, too."""
        clean = tuple(self.redactor.problem(problem) for problem in problems)
        if not clean:
            return
        if self.only_events:
            self._log_problems(clean)
            return
        from reconciler.report.text import problems_text  # noqa: PLC0415

        self.tell(problems_text(clean, style=self.stderr_style) + self._annotations(clean))

    @property
    def stderr_style(self) -> "Style":
        """Colour for stderr, or none."""
        from reconciler.report.style import Style  # noqa: PLC0415

        return Style(self._wants_color(self.stderr))

    def _annotations(self, problems: Sequence[Problem]) -> str:
        if self.github is None:
            return ""
        from reconciler.plan.document import PlanDocument  # noqa: PLC0415

        return self.github.annotations(PlanDocument(errors=tuple(problems), targets=()))

    def _log_problems(self, problems: Sequence[Problem]) -> None:
        from dataclasses import asdict  # noqa: PLC0415

        import structlog  # noqa: PLC0415

        log = structlog.get_logger()
        for problem in problems:
            fields = asdict(problem)
            log.error("problem.found", error=fields.pop("message"), **fields)

    def _wants_color(self, stream: OutStream) -> bool:
        """Colour only on a terminal that can; NO_COLOR and FORCE_COLOR say otherwise. The option wins over both."""
        if self.settings.no_color or self.environment.get("NO_COLOR"):
            return False
        if self.environment.get("FORCE_COLOR"):
            return True
        return stream.isatty() and self.environment.get("TERM") != "dumb"

    # stdin

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer a question."""
        return self._stdin is not None and self._stdin.isatty() and self.stderr.isatty() and not self.only_events

    def confirm(self, question: str) -> bool:
        """Ask until the answer is yes or no; the end of the input, or nothing, is no."""
        while True:
            self.tell(f"{question} [y/N]: ")
            answer = self._stdin.readline() if self._stdin is not None else ""
            if not answer:
                self.tell("\n")
            match answer.strip().lower():
                case "y" | "yes":
                    return True
                case "" | "n" | "no":
                    return False

    def read_stdin(self) -> bytes:
        """All of standard input. Raises UsageError where there is none to read."""
        if self._stdin is None:
            _refuse_stdin("it is closed")
        try:
            return self._stdin.buffer.read()
        except (OSError, ValueError) as error:
            _refuse_stdin(getattr(error, "strerror", None) or "it is closed")


def standard_console(signals: Signals, settings: Settings) -> Console:
    """The console of this process."""
    return Console(sys.stdin, sys.stdout, sys.stderr, os.environ, signals, settings)


def _refuse_stdin(why: str) -> NoReturn:
    raise UsageError(f"standard input can't be read: {why}", remedy="name a folder or a file of manifests instead")
