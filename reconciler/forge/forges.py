"""The forge of a workflow: whichever it is, the same port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.clock import Clock, Random
from reconciler.forge import github, gitlab
from reconciler.forge.api import connect
from reconciler.forge.port import Forge
from reconciler.forge.workflow import Workflow
from reconciler.model.secret import ApiKey
from reconciler.wire.client import TransportFactory


@asynccontextmanager
async def open_forge(
    workflow: Workflow, token: ApiKey, *, clock: Clock, random: Random, transport: TransportFactory | None = None
) -> AsyncIterator[Forge]:
    """The workflow's repository; `transport` is for what isn't the network. Raises HttpError."""
    on_gitlab = workflow.forge == "gitlab"
    dialect = gitlab.DIALECT if on_gitlab else github.DIALECT
    async with connect(workflow.api_url, token, dialect, clock=clock, random=random, transport=transport) as api:
        yield gitlab.Project(api, workflow) if on_gitlab else github.Repository(api, workflow)
