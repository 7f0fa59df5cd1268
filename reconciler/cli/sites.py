"""Builds what a round stands on: the fleet, git, and one site a target with its endpoint, key and connection."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import structlog

from reconciler.cli.console import Console
from reconciler.cli.options import RunOptions
from reconciler.cli.signals import Runner
from reconciler.clock import Clock
from reconciler.desired.files import Folder, shown_path
from reconciler.desired.fleet import read_fleet, read_fleet_to_write, read_source, read_stream
from reconciler.errors import CredentialsError, ReconcilerError, SandboxError, UsageError
from reconciler.event import WorkflowEvent
from reconciler.evidence.checkout import Checkout, GitOptions
from reconciler.live.client import Connection
from reconciler.live.credentials import check_key
from reconciler.model.endpoint import REGIONS, may_follow, normalize_endpoint, region_endpoint
from reconciler.model.fleet import Fleet, Target
from reconciler.model.secret import ApiKey
from reconciler.model.text import did_you_mean
from reconciler.problem import Problem
from reconciler.reconcile.ground import Connected, Embedded, Ground, Offline
from reconciler.wire.client import Observer, Permit, always, unobserved

log = structlog.get_logger()

SANDBOX_STORE = ".reconciler/sandbox.db"
SANDBOX_KEY = "sandbox-admin"
ALLOW_ENDPOINTS = "RECONCILER_ALLOW_ENDPOINTS"
_LONGEST_KEY_FILE = 64 * 1024
"""Characters: no header takes more, and a device has no end."""
_ANOTHER_FILE = "name another: --api-key-file"


class Sites:
    """Reads git, manifests and keys as the options say; `permit` is asked before each request to the service."""

    def __init__(
        self,
        options: RunOptions,
        console: Console,
        runner: Runner,
        observer: Observer = unobserved,
        permit: Permit = always,
    ) -> None:
        self.observer = observer
        self.options = options
        self.console = console
        self.clock = runner.clock
        self.random = runner.random
        self.stop = runner.stop
        self.permit = permit

    @contextmanager
    def opened(
        self, *, at_head: bool = False, offline: bool = False, to_write: Folder | None = None
    ) -> Iterator[Callable[[], Ground]]:
        """A function that reads git and manifests, which stay open as long as this; the sandbox runs meanwhile."""
        with (
            self.reopened(at_head=at_head, offline=offline, to_write=to_write) as read,
            ExitStack() as stack,
        ):
            yield lambda: stack.enter_context(read())

    @contextmanager
    def reopened(
        self, *, at_head: bool = False, offline: bool = False, to_write: Folder | None = None
    ) -> Iterator[Callable[[], AbstractContextManager[Ground]]]:
        """Each call opens git and manifests afresh, beside what others have open; the sandbox runs meanwhile.

        `at_head`: the manifests are HEAD's, whatever the work tree holds. `offline`: nothing is reached, and no key is
        needed. `to_write`: the folder is read as one that manifests shall be written into, and git isn't asked.
        """
        options = self.options
        options.refuse_contradictory_connection(offline=offline)
        with ExitStack() as stack:
            locate = self._offline if offline else self._connected
            if options.sandbox and not offline:
                with self._read(at_head=at_head, to_write=to_write) as (fleet, _):
                    names = [target.name for target in fleet.targets]
                locate = partial(self._embedded, stack.enter_context(_sandbox(self.clock, names)))

            @contextmanager
            def read() -> Iterator[Ground]:
                with self._read(at_head=at_head, to_write=to_write) as (fleet, checkout):
                    yield locate(fleet, checkout)

            yield read

    @contextmanager
    def _read(self, *, at_head: bool, to_write: Folder | None) -> Iterator[tuple[Fleet, Checkout | None]]:
        if to_write is not None:
            yield read_fleet_to_write(to_write), None
            return
        checkout = self._checkout()
        if checkout is None:
            yield self._read_fleet(None).at(self.clock.now()), None
            return
        with closing(checkout):
            fleet = read_source(checkout.head_tree()) if at_head else self._read_fleet(checkout)
            checkout.fetch_records()  # after that: what is wrong with the manifests needs no network to be told
            yield fleet.at(self.clock.now()), checkout

    def _read_fleet(self, checkout: Checkout | None) -> Fleet:
        if self.options.manifests == "-":
            return read_stream(self._standard_input)
        if checkout is None:
            return read_fleet(self.options.manifests)
        work_tree = checkout.work_tree(Folder(self.options.manifests, checkout.root))
        return read_source(work_tree, checkout.had_folder, work_tree.beside)

    @cached_property
    def _standard_input(self) -> bytes:
        return self.console.read_stdin()

    def _checkout(self) -> Checkout | None:
        folder = self.options.manifests
        if folder == "-" or not Path(folder).is_dir():
            return None
        event = WorkflowEvent.read(self.console.environment)
        asked = GitOptions(self.options.base, event, self.options.remote, self.console.run_id)
        return Checkout.open(folder, shown_path(folder.rstrip("/") or "/"), asked)

    def _ground(
        self, fleet: Fleet, checkout: Checkout | None, sites: Sequence[Connected | Embedded | Offline]
    ) -> Ground:
        return Ground(fleet, tuple(sites), checkout, self.options.manifests)

    def _offline(self, fleet: Fleet, checkout: Checkout | None) -> Ground:
        selected = fleet.selected(self.options.targets)
        return self._ground(fleet, checkout, [Offline(fleet.head(target.name)) for target in selected])

    def _embedded(self, endpoints: Mapping[str, str], fleet: Fleet, checkout: Checkout | None) -> Ground:
        """One account a target; a target that came after the sandbox was started isn't reached.

        Raises SandboxError where that leaves none.
        """
        sites = [
            Embedded(fleet.head(target.name), self._connection(target, endpoints[target.name], ApiKey(SANDBOX_KEY)))
            for target in fleet.selected(self.options.targets)
            if target.name in endpoints
        ]
        if not sites:
            raise SandboxError(
                "the fleet has only targets that came after the sandbox was started",
                remedy="end the run, and begin anew",
            )
        return self._ground(fleet, checkout, sites)

    def _connected(self, declared: Fleet, checkout: Checkout | None) -> Ground:
        fleet = self._located(declared, declared.selected(self.options.targets))
        selected = fleet.selected(self.options.targets)
        keys = self._keys(selected)
        _refuse_twins(selected, keys)
        sites = [
            Connected(fleet.head(target.name), self._connection(target, target.endpoint or "", keys[target.name]))
            for target in selected
        ]
        return self._ground(fleet, checkout, sites)

    def ways(self, fleet: Fleet) -> Iterator[tuple[Target, Connection | ReconcilerError]]:
        """How each selected target is reached, or why it can't be: what one lacks keeps no other from it."""
        selected = fleet.selected(self.options.targets)
        _refuse_one_place_for_many(self.options, selected)
        for target in selected:
            try:
                (located,) = self._located(fleet, [target]).selected([target.name])
                yield located, self._connection(located, located.endpoint or "", self._key(located))
            except (UsageError, CredentialsError) as error:
                yield target, error

    def _located(self, fleet: Fleet, selected: Sequence[Target]) -> Fleet:
        """The fleet with every endpoint that is known: a target that isn't selected has a record to claim, too."""
        given = _endpoint(self.options)
        _refuse_one_place_for_many(self.options, selected)
        fallback = _fallback(self.console.environment)
        for target in fleet.targets:
            if fallback and not given and target in selected and target.endpoint not in {None, fallback}:
                log.warning("endpoint.ignored", variable="MOMENTO_ENDPOINT", target=target.name, used=target.endpoint)
            outside = (given if target in selected else None) or (None if target.endpoint else fallback)
            if outside is not None:
                fleet = fleet.with_endpoint(target.name, outside)
            elif target.endpoint is None and target in selected:
                raise UsageError(
                    f"target {target.name} has no endpoint",
                    remedy="give --region or --endpoint, write it into the fleet file, or try it on --sandbox",
                )
            elif target in selected and target.endpoint != fallback:
                _refuse_to_follow(target, self.console.environment)
        return fleet

    def _connection(self, target: Target, endpoint: str, key: ApiKey) -> Connection:
        return Connection(
            endpoint,
            key,
            clock=self.clock,
            random=self.random,
            give_up=self.stop.requested,
            rate=target.rate,
            permit=self.permit,
            observer=self.observer,
        )

    def _keys(self, selected: Sequence[Target]) -> dict[str, ApiKey]:
        """Each target's key. Raises CredentialsError with every target that lacks one."""
        keys: dict[str, ApiKey] = {}
        problems: dict[Problem, None] = {}  # what is wrong with the one file is wrong for all, and told once
        for target in selected:
            try:
                keys[target.name] = self._key(target)
            except CredentialsError as error:
                problems |= dict.fromkeys(error.problems())
        if problems:
            raise CredentialsError("; ".join(problem.message for problem in problems), reasons=problems)
        return keys

    def _key(self, target: Target) -> ApiKey:
        if self.options.api_key_file:
            file = self.options.api_key_file
            where, text = f"the file {file}", _key_text(file) if Path(file).is_file() else self._piped_key
        else:
            where = target.api_key_env
            text = self.console.environment.get(where, "")
            if not text.strip():
                raise CredentialsError(
                    f"target {target.name}: no API key: {where} is not set",
                    remedy=f"set {where}, or name a file with --api-key-file; or try --sandbox",
                    place=target.place,
                )
        key = check_key(text, where)
        self.console.redactor.keep(key)
        return key

    @cached_property
    def _piped_key(self) -> str:
        """Read once: several targets ask, and rounds."""
        return _key_text(self.options.api_key_file or "")


def _key_text(file: str) -> str:
    try:
        with Path(file).open(encoding="utf-8") as stream:
            text = stream.read(_LONGEST_KEY_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise CredentialsError(f"the file {file} can't be read: {why}", remedy=_ANOTHER_FILE) from error
    if len(text) > _LONGEST_KEY_FILE:
        raise CredentialsError(f"the file {file} is too long for an API key", remedy=_ANOTHER_FILE)
    return text


def _refuse_to_follow(target: Target, environment: Mapping[str, str]) -> None:
    """Raise CredentialsError for an endpoint that the repository alone names: a change could send the key anywhere."""
    allowed = environment.get(ALLOW_ENDPOINTS, "").replace(",", " ").split()
    if target.endpoint is not None and not may_follow(target.endpoint, allowed):
        raise CredentialsError(
            f"target {target.name}: the API key is not sent to {target.endpoint}: the repository alone names it",
            remedy=f"allow its host from outside: {ALLOW_ENDPOINTS}=PATTERN, MOMENTO_ENDPOINT or --endpoint",
            target=target.name,
            place=target.place,
        )


def _endpoint(options: RunOptions) -> str | None:
    if options.endpoint and options.region:
        raise UsageError("--endpoint and --region are both given", remedy="keep one")
    if options.region:
        if options.region not in REGIONS:
            raise UsageError(f"unknown region {options.region!r}", remedy=did_you_mean(options.region, sorted(REGIONS)))
        return region_endpoint(options.region)
    return _normalized(options.endpoint, "--endpoint") if options.endpoint else None


def _refuse_one_place_for_many(options: RunOptions, selected: Sequence[Target]) -> None:
    if _endpoint(options) and len(selected) > 1:
        raise UsageError(
            f"--endpoint and --region are for one target, and there are {len(selected)}",
            remedy="name it with --target, or write the endpoints into the fleet file",
        )


def _fallback(environment: Mapping[str, str]) -> str | None:
    text = environment.get("MOMENTO_ENDPOINT")
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
            f"the sandbox needs {error.name}, which is not installed",
            remedy="pip install 'momento-reconciler[sandbox]'",
        ) from error
    return server, store
