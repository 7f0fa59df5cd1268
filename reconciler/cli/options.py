"""The options that several commands share, as click hands them over, and what they contradict."""

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.apply.options import ApplyOptions
from reconciler.errors import UsageError
from reconciler.evidence.base import NO_BASE
from reconciler.plan.intent import Intent, Prune

if TYPE_CHECKING:
    from reconciler.report.invocation import Invocation


class RunOptions(NamedTuple):
    """The options that the commands share, as click hands them over."""

    manifests: str
    targets: tuple[str, ...]
    only: tuple[str, ...]
    endpoint: str | None
    region: str | None
    api_key_file: str | None
    sandbox: bool
    base: str | None = None
    prune: Prune | None = None
    adopt: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    remote: str | None = None

    def refuse_contradictory_connection(self, *, offline: bool) -> None:
        """Raise UsageError for options that would be taken and ignored: where nothing is reached, or a sandbox is."""
        own_place = bool(self.endpoint or self.region or self.api_key_file)
        if offline and self.base == NO_BASE:
            raise UsageError(
                "--offline compares with a base, and --base none asks for none", remedy="leave --base none out"
            )
        if offline and self.sandbox:
            raise UsageError("--offline reaches nothing, not even a sandbox", remedy="leave one of the two out")
        if offline and own_place:
            raise UsageError(
                "--offline reaches nothing and needs no key", remedy="leave out --endpoint, --region and --api-key-file"
            )
        if self.sandbox and own_place:
            raise UsageError(
                "--sandbox has its own endpoint and key", remedy="leave out --endpoint, --region and --api-key-file"
            )

    def intent(self) -> Intent:
        """What is meant to be done. Raises UsageError where git is needed for it and standard input is read, or none.

        A saved plan's own base is given as it was.
        """
        if self.prune and self.manifests == "-":
            raise UsageError(
                "--prune needs a folder of manifests: what standard input leaves out may stand elsewhere",
                remedy="name the folder with --manifests DIR, or leave --prune out",
            )
        if self.manifests == "-" and self.base not in {None, NO_BASE}:
            raise UsageError(
                "standard input is in no repository: there is nothing to compare it with",
                remedy="name the folder with --manifests DIR; or leave --base out",
            )
        return Intent(
            base=self.base,
            only=self.only,
            prune=self.prune,
            adopt=self.adopt,
            replace=self.replace,
            allow=self.allow,
        )

    def invocation(self) -> "Invocation":
        """These as words of a command line, but for what is so by default."""
        from reconciler.model.command import option_words  # noqa: PLC0415  # of what has a result
        from reconciler.report.invocation import Invocation, intent_words, place_words  # noqa: PLC0415

        intent = self.intent()
        one_each = (("endpoint", self.endpoint), ("region", self.region), ("api-key-file", self.api_key_file))
        reach = [word for option, value in one_each if value for word in option_words(option, [value])]
        where = (*place_words(self.manifests, self.targets, intent), *reach, *(["--sandbox"] if self.sandbox else []))
        of_git = [
            word
            for option, value in (("base", self.base), ("remote", self.remote))
            if value
            for word in option_words(option, [value])
        ]
        return Invocation(where, (*of_git, *intent_words(intent)))


def take_apply_options(options: dict[str, Any]) -> ApplyOptions:
    """Take out of a command's options those that say how a plan is carried out."""
    return ApplyOptions(
        concurrency=options.pop("concurrency"),
        wait=options.pop("wait"),
        timeout_seconds=options.pop("timeout"),
        keep_going=options.pop("keep_going"),
    )
