"""The paths below `/v1/webhooks/` in the OpenAPI document."""

from channels.ingest.openapi import OpenApiSchema, header, operation, path_parameter, reference

_PAYLOAD: OpenApiSchema = {
    "type": "object",
    "description": "The body of a signed webhook.",
    "required": ["type"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {"type": "object", "additionalProperties": True},
    },
}
SCHEMAS = {"SignedWebhook": _PAYLOAD}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the signed webhooks."""
    receive = operation(
        "webhook_receive",
        "Receive a webhook that its source signed (Standard Webhooks)",
        description="Stores the webhook as an event of its source. The signature is the credential.",
        request_schema=reference("SignedWebhook"),
        response_schema=reference("IngestSuccess"),
        parameters=[
            path_parameter("source", "The name of the source"),
            header("webhook-id", "The id of the webhook, the same at each attempt", required=True),
            header(
                "webhook-timestamp",
                "Unix time in seconds, at most five minutes from now",
                required=True,
            ),
            header(
                "webhook-signature",
                "`v1,` and the signature; spaces separate several",
                required=True,
            ),
        ],
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        has_count_headers=True,
        tag="webhooks",
    )
    return {"/v1/webhooks/{source}": {"post": receive}}
