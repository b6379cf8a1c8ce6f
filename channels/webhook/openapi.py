"""What `/v1/webhooks/` looks like, for the OpenAPI file."""

from channels.ingest.openapi import SUCCESS, Document, header, operation, path_parameter

PAYLOAD: Document = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {"type": "object", "additionalProperties": True},
    },
}


def openapi_paths() -> dict[str, Document]:
    """Describe every address of this package."""
    receive = operation(
        "webhook_receive",
        "Take in a webhook that its source signed (Standard Webhooks)",
        request_schema=PAYLOAD,
        response_schema=SUCCESS,
        parameters=[
            path_parameter("source", "The name of the source"),
            header("webhook-id", "What makes it the same webhook", required=True),
            header("webhook-timestamp", "Unix seconds, five minutes off at most", required=True),
            header(
                "webhook-signature", "`v1,` and the signature; several by spaces", required=True
            ),
        ],
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        has_count_headers=True,
        tag="webhooks",
    )
    return {"/v1/webhooks/{source}": {"post": receive}}
