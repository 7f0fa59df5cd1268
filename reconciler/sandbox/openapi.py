"""The OpenAPI description of what the sandbox serves."""

from typing import Any

from pydantic.json_schema import models_json_schema

from reconciler.sandbox.model import NAME, Cluster, ClusterBody, ErrorBody
from reconciler.sandbox.switches import Switches

_ERRORS = {
    400: "Bad Request: the request body contains invalid configuration",
    401: "Unauthorized: the API key is invalid or expired",
    403: "Forbidden: the API key does not grant the required access",
    404: "Not Found: there is no such cluster",
    409: "Conflict: the cluster is in transition, or in use",
    500: "Internal Server Error",
}


def description(switches: Switches) -> dict[str, Any]:
    """OpenAPI 3.1, as plain values, of a service with these switches."""
    models = [(ClusterBody, "validation"), (Cluster, "serialization"), (ErrorBody, "serialization")]
    _, schemas = models_json_schema(
        models,  # type: ignore[arg-type]  # the mode is a Literal, a list of pairs is not
        ref_template="#/components/schemas/{model}",
    )
    answered = schemas["$defs"]["Cluster"]
    for field in switches.drop:
        answered["properties"].pop(field, None)
    answered["required"] = list(answered["properties"])
    name = {
        "name": "clusterName",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{NAME.pattern}$"},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Momento Valkey Clusters, embedded", "version": "1"},
        "security": [{"apiKey": []}],
        "paths": {
            "/cluster": {
                "get": _operation(
                    "listClusters", _json("All clusters", {"type": "array", "items": _ref("Cluster")}), (401, 500)
                )
            },
            "/cluster/{clusterName}": {
                "parameters": [name],
                "put": {
                    **_operation("putCluster", _json("The cluster", _ref("Cluster")), (400, 401, 403, 409, 500)),
                    "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("ClusterBody")}}},
                },
                "delete": _operation(
                    "deleteCluster", {"204": {"description": "It is being deleted"}}, (400, 401, 403, 404, 409, 500)
                ),
            },
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
    }


def _operation(operation_id: str, success: dict[str, Any], errors: tuple[int, ...]) -> dict[str, Any]:
    responses = {str(code): _json(_ERRORS[code], _ref("ErrorBody"))["200"] for code in errors}
    return {"operationId": operation_id, "responses": {**success, **responses}}


def _json(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": text, "content": {"application/json": {"schema": schema}}}}


def _ref(model: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model}"}
