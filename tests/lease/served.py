"""A fake API server over TLS on this machine, and what a pod would find in its environment to reach it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import uvicorn

from reconciler.lease.in_cluster import SERVICE_ACCOUNT_VARIABLE
from tests.certificates import make_certificate
from tests.lease.fake_kubernetes import FakeKubernetes


@dataclass
class Served:
    """Its environment, and the file that holds the account's token."""

    environment: dict[str, str]
    token_file: Path


@contextmanager
def served(kubernetes: FakeKubernetes, folder: Path) -> Iterator[Served]:
    """Serve it; its certificate's authority and the account's token are in `folder`."""
    folder.mkdir(exist_ok=True)
    certificate = make_certificate(folder)
    (folder / "ca.crt").write_bytes(certificate.read_bytes())
    (folder / "token").write_text(f"{kubernetes.token}\n")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            kubernetes,
            log_config=None,
            lifespan="off",
            ssl_certfile=certificate,
            ssl_keyfile=certificate.with_suffix(".key"),
        )
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        port = listening.getsockname()[1]
        try:
            yield Served(
                {
                    "KUBERNETES_SERVICE_HOST": "127.0.0.1",
                    "KUBERNETES_SERVICE_PORT": str(port),
                    SERVICE_ACCOUNT_VARIABLE: str(folder),
                },
                folder / "token",
            )
        finally:
            server.should_exit = True
            thread.join()
