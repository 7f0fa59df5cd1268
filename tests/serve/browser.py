"""Debian's chromium, driven over its own pipe: a page as it really runs. Where it isn't there, tests say how to get it."""

import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
HOW = "no chromium here: apt-get install chromium"


def find_browser() -> str:
    """Its program. Skips the test, and says what to do, where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(HOW)
    return found


class Browser:
    """One page of a running browser. `said` is all that its console has said, refusals of the policy included."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._write = os.fdopen(to_browser, "wb", buffering=0)
        self._read = os.fdopen(from_browser, "rb")
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        self.said: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        """Let go of the pipe, which ends the browser."""
        self._write.close()
        self._read.close()

    def ask(self, method: str, **parameters: Any) -> Any:
        """What it answers to one command of its protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            self._events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url: str) -> None:
        """Go there, and come back when all of it is loaded."""
        self._events.clear()
        self.ask("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def wait_for(self, event: str) -> dict[str, Any]:
        """The next event of this name, one that has come already included."""
        while True:
            for one in self._events:
                if one.get("method") == event:
                    self._events.remove(one)
                    return one
            self._events.append(self._next())

    def evaluate(self, expression: str) -> Any:
        """The value of an expression on the page; a promise is waited for."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """The size of a screen, and whether it is a dark one."""
        mobile = width < 500
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", features=scheme)

    def shoot(self, path: Path) -> None:
        """A picture of all of the page."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _next(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._read.read(1)) != b"\0":
            assert byte, "the browser has gone"
            text += byte
        message: dict[str, Any] = json.loads(text)
        parameters = message.get("params", {})
        if message.get("method") == "Log.entryAdded":
            self.said.append(parameters["entry"]["text"])
        if message.get("method") in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}:
            self.said.append(json.dumps(parameters))
        return message


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser of its own, with nothing of anybody's; it ends with the pipe."""
    program = find_browser()
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    flags = (
        "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage --remote-debugging-pipe "
        f"--disable-background-networking --disable-component-update --user-data-dir={folder}"
    )
    command = f'exec "$0" {flags} 3<&{to_read} 4>&{from_write} >/dev/null 2>&1'
    process = subprocess.Popen(["/bin/bash", "-c", command, program], pass_fds=(to_read, from_write))
    os.close(to_read)
    os.close(from_write)
    browser = None
    try:
        browser = Browser(to_write, from_read)
        yield browser
    finally:
        if browser is not None:
            browser.close()
        process.terminate()
        process.wait()
