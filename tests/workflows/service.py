"""The control plane that the workflows apply to: a served sandbox, with an account for each target of `manifests/`."""

import json
from typing import Any
from urllib.request import Request, urlopen

READ = {"MOMENTO_API_KEY_US": "sandbox-readonly", "MOMENTO_API_KEY_EU": "sandbox-readonly"}
WRITE = {"MOMENTO_API_KEY_US": "sandbox-admin", "MOMENTO_API_KEY_EU": "sandbox-admin"}
TARGETS = ("us-east-1", "eu-west-1")


class Service:
    """A served sandbox: one account a target."""

    def __init__(self, url: str, answers: list[str]) -> None:
        self.url = url
        self.answers = answers

    def writes(self) -> list[str]:
        """What was sent since it was last asked."""
        found = sorted(answer for answer in self.answers if not answer.startswith("GET"))
        self.answers.clear()
        return found

    def live(self, target: str) -> dict[str, dict[str, Any]]:
        """The clusters of a target by name."""
        return {cluster["name"]: cluster for cluster in self.call("GET", target)}

    def change(self, target: str, name: str, **fields: object) -> None:
        """Change a cluster behind git's back."""
        body = {k: v for k, v in self.live(target)[name].items() if k not in {"name", "status", "errors"}}
        self.call("PUT", target, f"/{name}", {**body, **fields})
        self.answers.clear()

    def call(self, method: str, target: str, path: str = "", body: object = None) -> Any:
        """One request, by hand."""
        headers = {"Authorization": "sandbox-admin", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        url = f"{self.url}/accounts/{target}/cluster{path}"
        with urlopen(Request(url, data, headers, method=method)) as answer:  # noqa: S310  # loopback
            return json.load(answer)
