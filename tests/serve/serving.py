"""What is shown, over real HTTP on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.model.secret import ApiKey
from reconciler.serve.address import parse_address
from reconciler.serve.app import Shown, create_app
from reconciler.serve.picture import Picture
from reconciler.serve.server import serving
from tests.serve.scenes import NOW


class Wall:
    """The picture that is shown now, and where."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.url = ""


@contextmanager
def shown(picture: Picture, *, token: str | None = None, loopback: bool = True) -> Iterator[Wall]:
    """Serve it meanwhile; another picture may take its place."""
    wall = Wall(picture)
    what = Shown(lambda: wall.picture, lambda: NOW, str, str)
    app = create_app(what, token=ApiKey(token) if token else None, loopback=loopback)
    with serving(app, parse_address("127.0.0.1:0")) as wall.url:
        yield wall
