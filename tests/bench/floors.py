"""What each row of the budget is measured against: the least that a program of this kind would do.

python -m tests.bench.floors small FOLDER URL           the imports, one model, one validation, one GET
python -m tests.bench.floors read FOLDER URL            CSafeLoader on each file, one GET, json.loads, ==
python -m tests.bench.floors put URL COUNT WORKERS      bare PUTs, a client a worker
"""

import asyncio
import sys
from pathlib import Path

KEY = {"Authorization": "sandbox-admin"}


def small(folder: str, url: str) -> None:
    """A small program of the same libraries."""
    import click  # noqa: F401
    import httpx
    import pydantic
    import structlog
    import yaml

    class Cluster(pydantic.BaseModel):
        name: str
        shard_count: int

    structlog.get_logger()
    first = min(Path(folder).glob("*.yaml"))
    Cluster.model_validate(yaml.load(first.read_bytes(), yaml.CSafeLoader))
    with httpx.Client(headers=KEY, verify=False) as client:  # noqa: S501  # loopback
        client.get(f"{url}/cluster").json()


def read(folder: str, url: str) -> None:
    """Read both sides, and compare."""
    import json
    from urllib.request import Request, urlopen

    import yaml

    declared = []
    for path in sorted(Path(folder).glob("*.yaml")):
        declared.append(yaml.load(path.read_bytes(), yaml.CSafeLoader))  # noqa: PERF401
    with urlopen(Request(f"{url}/cluster", headers=KEY)) as answer:  # noqa: S310  # loopback
        live = {cluster["name"]: cluster for cluster in json.loads(answer.read())}
    print(sum(all(live[c["name"]][key] == value for key, value in c.items()) for c in declared))


def put(url: str, count: str, workers: str) -> None:
    """The PUTs, and nothing else."""
    import httpx

    from tests.bench.fleet import cluster, name

    async def work(numbers: "asyncio.Queue[int]") -> None:
        async with httpx.AsyncClient(headers=KEY, base_url=url, verify=False) as client:  # noqa: S501
            while not numbers.empty():
                number = numbers.get_nowait()
                body = {k: v for k, v in cluster(number).items() if k not in {"name", "status", "errors"}}
                (await client.put(f"/cluster/{name(number)}", json=body)).raise_for_status()

    async def main() -> None:
        numbers: asyncio.Queue[int] = asyncio.Queue()
        for number in range(int(count)):
            numbers.put_nowait(number)
        await asyncio.gather(*(work(numbers) for _ in range(int(workers))))

    asyncio.run(main())


if __name__ == "__main__":
    work, *arguments = sys.argv[1:]
    if work == "small":
        small(*arguments)
    elif work == "read":
        read(*arguments)
    else:
        put(*arguments)
