"""The paths below `/v1/phone/` in the OpenAPI document."""

from channels.ingest.openapi import OpenApiSchema, header, operation, path_parameter

TAG = "phone"
_TEXT: OpenApiSchema = {"type": "string"}
CALL: OpenApiSchema = {
    "type": "object",
    "required": ["event", "callId"],
    "properties": {
        "event": {"type": "string", "enum": ["newCall", "answer", "hangup"]},
        "callId": {"type": "string", "maxLength": 90},
        "from": _TEXT,
        "to": _TEXT,
        "direction": {"type": "string", "enum": ["in", "out"]},
        "user": {"type": ["string", "array"], "items": _TEXT},
        "cause": _TEXT,
        "queue": _TEXT,
    },
}
MATCH: OpenApiSchema = {
    "type": "object",
    "required": ["id", "version", "name", "is_verified", "is_known"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "is_verified": {"type": "boolean"},
        "is_known": {"type": "boolean"},
    },
}
ANSWER: OpenApiSchema = {
    "type": "object",
    "required": ["success", "status", "customer", "matches", "customers"],
    "properties": {
        "success": {"type": "boolean", "const": True},
        "status": {
            "type": "string",
            "enum": ["accepted", "duplicate", "other_content", "quarantined"],
        },
        "customer": {"type": ["string", "null"], "format": "uuid"},
        "matches": {"type": "string", "enum": ["none", "one", "many"]},
        "customers": {"type": "array", "items": MATCH},
    },
}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the telephone webhooks."""
    call = operation(
        "phone_call",
        "Report that a call begins, is answered or ends, and get the customers with its number",
        request_schema=CALL,
        response_schema=ANSWER,
        has_count_headers=True,
        tag=TAG,
    )
    forms = ("application/x-www-form-urlencoded", "multipart/form-data")
    call["requestBody"]["content"] |= {form: {"schema": CALL} for form in forms}
    dial: OpenApiSchema = {
        "name": "dial",
        "in": "query",
        "required": False,
        "description": "The number to connect the caller to; the signature covers it",
        "schema": _TEXT,
    }
    twilio = operation(
        "phone_twilio",
        "Receive a voice webhook or status callback of Twilio",
        request_schema={"type": "object", "additionalProperties": True},
        response_schema=_TEXT,
        parameters=[
            path_parameter("source", "The source whose webhook secret is the auth token"),
            header(
                "X-Twilio-Signature",
                "The signature of the URL and the form, or of the URL with bodySHA256",
                required=True,
            ),
            dial,
        ],
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        tag=TAG,
    )
    twilio["responses"]["200"]["content"] = {"text/xml": {"schema": _TEXT}}
    twilio["requestBody"]["content"] |= {
        "application/x-www-form-urlencoded": {"schema": {"type": "object"}}
    }
    return {"/v1/phone/calls": {"post": call}, "/v1/phone/twilio/{source}": {"post": twilio}}
