"""Builds the parts of a run from its options: fleet, endpoints, keys, connections, logs, signals."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import structlog

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.cli.output import KEYS, wants_color
from reconciler.clock import Clock, Random, SystemClock, SystemRandom
from reconciler.desired.base import NO_BASE, Event
from reconciler.desired.files import shown
from reconciler.desired.fleet import read_fleet, read_source, read_stream
from reconciler.desired.lookup import Repository
from reconciler.errors import CredentialsError, SandboxError, UsageError
from reconciler.live.client import Connection
from reconciler.live.credentials import check_key
from reconciler.logs import LogFormat, configure
from reconciler.model.endpoint import REGIONS, normalize_endpoint, region_endpoint
from reconciler.model.fleet import Fleet, Target
from reconciler.model.guards import GuardName
from reconciler.model.secret import ApiKey
from reconciler.model.text import did_you_mean
from reconciler.plan.settings import Intent, Prune
from reconciler.reconcile import Site
from reconciler.report.render import Format

log = structlog.get_logger()

SANDBOX_STORE = ".reconciler/sandbox.db"
SANDBOX_KEY = "sandbox-admin"


@dataclass(frozen=True, slots=True)
class Options:
    """The options that the commands share, as click hands them over."""

    manifests: str
    targets: tuple[str, ...]
    only: tuple[str, ...]
    endpoint: str | None
    region: str | None
    api_key_file: str | None
    sandbox: bool
    format_name: Format
    no_color: bool
    log_level: str
    log_format: LogFormat
    quiet: bool
    base: str | None = None
    prune: Prune | None = None
    adopt: tuple[str, ...] = ()
    allow: tuple[GuardName, ...] = ()

    @property
    def color(self) -> bool:
        """Whether stdout gets colour."""
        return wants_color(is_terminal=sys.stdout.isatty(), no_color=self.no_color)

    def saves(self, file: str | None) -> bool:
        """Whether a plan may be saved: to a file, or by whoever reads JSON from stdout."""
        return file is not None or self.format_name == "json"

    def intent(self) -> Intent:
        """What is meant to be done. Raises UsageError for a prune of what is read from a stream."""
        if self.prune and self.manifests == "-":
            raise UsageError(
                "--prune needs a folder of manifests: what standard input leaves out may stand elsewhere",
                remedy="name the folder with --manifests DIR, or leave --prune out",
            )
        if self.prune == "owned" and self.base == NO_BASE:
            raise UsageError(
                "--prune deletes only what git proves to be ours, and --base none leaves nothing to prove it by",
                remedy="name a commit, or leave --base out",
            )
        return Intent(base=self.base, only=self.only, prune=self.prune, adopt=self.adopt, allow=self.allow)


class Parts:
    """Time, chance, logs and the way to stop: one of each for a process."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock: Clock = SystemClock()
        self.random: Random = SystemRandom()
        self.stop = Stop()
        self.run_id = f"{int(self.random.uniform(0, 16**12)):012x}"
        configure(
            sys.stderr,
            level="error" if options.quiet else options.log_level,
            log_format=options.log_format,
            clock=self.clock,
            keys=KEYS,
            run_id=self.run_id,
        )

    @contextmanager
    def sites(self, *, at_head: bool = False, offline: bool = False) -> Iterator[Callable[[], tuple[Site, ...]]]:
        """A function that reads git and manifests afresh and gives the selected targets; the sandbox runs meanwhile.

        `at_head`: the manifests are HEAD's, whatever the work tree holds. `offline`: nothing is reached, and no key is
        needed.
        """
        options = self.options
        if offline and options.base == NO_BASE:
            raise UsageError("--offline compares with base, and there is none", remedy="leave --base none out")
        if options.sandbox and offline:
            raise UsageError("--offline reaches nothing, not even a sandbox", remedy="leave one of the two out")
        if options.sandbox and (options.endpoint or options.region or options.api_key_file):
            raise UsageError(
                "--sandbox has its own endpoint and key", remedy="leave out --endpoint, --region and --api-key-file"
            )
        with ExitStack() as stack:
            opened: list[Repository] = []
            stack.callback(_close, opened)

            def read() -> tuple[Fleet, Repository | None]:
                _close(opened)
                repository = self._repository()
                if repository is not None:
                    opened.append(repository)
                if at_head and repository is not None:
                    repository.dirty = False  # what is read is HEAD, whatever the work tree holds
                    return read_source(repository.head_tree()), repository
                return self._read_fleet(), repository

            if offline:
                yield lambda: self._unconnected(*read())
            elif options.sandbox:
                names = [target.name for target in read()[0].targets]
                endpoints = stack.enter_context(_sandbox(self.clock, names))
                yield lambda: self._embedded(*read(), endpoints)
            else:
                yield lambda: self._connected(*read())

    def _read_fleet(self) -> Fleet:
        if self.options.manifests == "-":
            return read_stream(self._standard_input)
        return read_fleet(self.options.manifests)

    @cached_property
    def _standard_input(self) -> bytes:
        return sys.stdin.buffer.read()

    def _repository(self) -> Repository | None:
        folder = self.options.manifests
        if folder == "-" or not Path(folder).is_dir():
            return None
        base = self.options.base
        return Repository.open(folder, shown(folder.rstrip("/") or "/"), base, Event.read(os.environ))

    def _located(self, fleet: Fleet) -> Fleet:
        """The fleet with every endpoint that is known: a target that isn't selected has clusters to spare, too."""
        options, selected = self.options, fleet.selected(self.options.targets)
        given = _endpoint(options)
        if given and len(selected) > 1:
            raise UsageError(
                f"--endpoint and --region are for one target, and there are {len(selected)}",
                remedy="name it with --target, or write the endpoints into the fleet file",
            )
        fallback = _fallback()
        for target in fleet.targets:
            if fallback and not given and target in selected and target.endpoint not in {None, fallback}:
                log.warning("endpoint.ignored", variable="MOMENTO_ENDPOINT", target=target.name, used=target.endpoint)
            endpoint = (given if target in selected else None) or target.endpoint or fallback
            if endpoint is not None:
                fleet = fleet.with_endpoint(target.name, endpoint)
            elif target in selected:
                raise UsageError(
                    f"target {target.name} has no endpoint",
                    remedy="give --region or --endpoint, write it into the fleet file, or try it on --sandbox",
                )
        return fleet

    def _connected(self, declared: Fleet, repository: Repository | None) -> tuple[Site, ...]:
        fleet = self._located(declared)
        selected = fleet.selected(self.options.targets)
        keys = {target.name: self._key(target) for target in selected}
        _refuse_twins(selected, keys)
        original = {target.name: target for target in declared.targets}
        sites = []
        for target in selected:
            endpoint = target.endpoint or ""
            connection = self._connection(target, endpoint, keys[target.name])
            head = fleet.head(target.name)
            sites.append(Site(head, endpoint, connection, original[target.name], self.options.manifests, repository))
        return tuple(sites)

    def _unconnected(self, declared: Fleet, repository: Repository | None) -> tuple[Site, ...]:
        folder = self.options.manifests
        return tuple(
            Site(declared.head(t.name), t.endpoint or "unknown", None, t, folder, repository, embedded=True)
            for t in declared.selected(self.options.targets)
        )

    def _embedded(
        self, declared: Fleet, repository: Repository | None, endpoints: Mapping[str, str]
    ) -> tuple[Site, ...]:
        sites = []
        for target in declared.selected(self.options.targets):
            if target.name in endpoints:
                connection = self._connection(target, endpoints[target.name], ApiKey(SANDBOX_KEY))
                head, shown_as, folder = declared.head(target.name), f"sandbox:{target.name}", self.options.manifests
                sites.append(Site(head, shown_as, connection, target, folder, repository, embedded=True))
        return tuple(sites)

    def _connection(self, target: Target, endpoint: str, key: ApiKey) -> Connection:
        return Connection(
            endpoint,
            key,
            clock=self.clock,
            random=self.random,
            give_up=self.stop.requested,
            rate=target.rate,
        )

    def _key(self, target: Target) -> ApiKey:
        if self.options.api_key_file:
            where = f"the file {self.options.api_key_file}"
            try:
                text = Path(self.options.api_key_file).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "it is not text"
                raise CredentialsError(
                    f"{where} can't be read: {why}", remedy="name another: --api-key-file"
                ) from error
        else:
            where = target.api_key_env
            text = os.environ.get(where, "")
            if not text.strip():
                raise CredentialsError(
                    f"target {target.name}: no API key: {where} is not set",
                    remedy=f"set {where}, or name a file with --api-key-file; or try --sandbox",
                    place=target.place,
                )
        key = check_key(text, where)
        KEYS.add(key)
        return key


def run_until_stopped(parts: Parts, work: Awaitable[int]) -> int:
    """Run to the end, or until a signal; then its exit code is 128 and the signal's number.

    The first SIGINT or SIGTERM sets `stop`: who watches it finishes what is in flight. The second cancels.
    """
    received: list[int] = []

    async def main() -> int:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work)

        def on_signal(number: int) -> None:
            received.append(number)
            if parts.stop.requested.is_set() or not parts.stop.graceful:
                task.cancel()
            parts.stop.requested.set()
            log.warning("run.interrupted", signal=signal.Signals(number).name, times=len(received))

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
        try:
            return await task
        except asyncio.CancelledError:
            return 0

    code = asyncio.run(main())
    return 128 + received[0] if received else code


@contextmanager
def plain_signals() -> Iterator[None]:
    """While a person is asked: Ctrl-C interrupts the question, and SIGTERM ends the process. Nothing is in flight."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _endpoint(options: Options) -> str | None:
    if options.endpoint and options.region:
        raise UsageError("--endpoint and --region are both given", remedy="keep one")
    if options.region:
        if options.region not in REGIONS:
            raise UsageError(f"unknown region {options.region!r}", remedy=did_you_mean(options.region, sorted(REGIONS)))
        return region_endpoint(options.region)
    return _normalized(options.endpoint, "--endpoint") if options.endpoint else None


def _fallback() -> str | None:
    text = os.environ.get("MOMENTO_ENDPOINT")
    return _normalized(text, "MOMENTO_ENDPOINT") if text else None


def _normalized(text: str, where: str) -> str:
    try:
        return normalize_endpoint(text)
    except ValueError as error:
        raise UsageError(f"{where}: {error}", remedy="give https://HOST, or a bare cell host") from error


def _refuse_twins(targets: Sequence[Target], keys: Mapping[str, ApiKey]) -> None:
    for position, target in enumerate(targets):
        for other in targets[:position]:
            if (target.endpoint, keys[target.name]) == (other.endpoint, keys[other.name]):
                raise UsageError(
                    f"targets {other.name} and {target.name} have the same endpoint and the same key",
                    remedy="make one target of them, or give each an endpoint in the fleet file",
                )


@contextmanager
def _sandbox(clock: Clock, accounts: Sequence[str]) -> Iterator[dict[str, str]]:
    server, store = import_sandbox()
    opened: Any = store.Store(SANDBOX_STORE, clock=clock)
    try:
        with server.embedded(opened, accounts) as endpoints:
            yield endpoints
    finally:
        opened.close()


def import_sandbox() -> tuple[Any, Any]:
    """The sandbox's server and store. Raises SandboxError where the extra isn't installed."""
    try:
        from reconciler.sandbox import server, store  # noqa: PLC0415  # an extra, and heavy
    except ModuleNotFoundError as error:
        raise SandboxError(
            f"the sandbox needs {error.name}, which is not installed", remedy="pip install 'reconciler[sandbox]'"
        ) from error
    return server, store


def _close(repositories: list[Repository]) -> None:
    while repositories:
        repositories.pop().close()


def take_apply_options(options: dict[str, Any]) -> ApplyOptions:
    """Take out of a command's options those that say how a plan is carried out."""
    return ApplyOptions(
        concurrency=options.pop("concurrency"),
        wait=options.pop("wait"),
        timeout_seconds=options.pop("timeout"),
        keep_going=options.pop("keep_going"),
    )
