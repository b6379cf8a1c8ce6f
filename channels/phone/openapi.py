"""The paths below `/v1/phone/` in the OpenAPI document."""

from channels.ingest.openapi import OpenApiSchema, header, operation, path_parameter, reference

TAG = "phone"
_TEXT: OpenApiSchema = {"type": "string"}
_CALL: OpenApiSchema = {
    "type": "object",
    "description": "A call that begins, is answered or ends.",
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
_MATCH: OpenApiSchema = {
    "type": "object",
    "description": "A customer with the number of a call.",
    "required": ["id", "version", "name", "is_verified", "is_known"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "is_verified": {"type": "boolean"},
        "is_known": {"type": "boolean"},
    },
}
_ANSWER: OpenApiSchema = {
    "type": "object",
    "description": "Whether Butler stored the call, and the customers with its number.",
    "required": ["success", "status", "customer", "matches", "customers"],
    "properties": {
        "success": {"type": "boolean", "const": True},
        "status": {
            "type": "string",
            "enum": ["accepted", "duplicate", "other_content", "quarantined"],
        },
        "customer": {"type": ["string", "null"], "format": "uuid"},
        "matches": {"type": "string", "enum": ["none", "one", "many"]},
        "customers": {"type": "array", "items": reference("CallingCustomer")},
    },
}
SCHEMAS: dict[str, OpenApiSchema] = {
    "PhoneCall": _CALL,
    "PhoneCallAnswer": _ANSWER,
    "CallingCustomer": _MATCH,
    "TwilioForm": {
        "type": "object",
        "description": "A voice webhook or a status callback of Twilio.",
        "additionalProperties": True,
        "properties": {"CallSid": _TEXT, "From": _TEXT, "To": _TEXT, "CallStatus": _TEXT},
    },
}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the telephone webhooks."""
    call = operation(
        "phone_call",
        "Report that a call begins, is answered or ends, and get the customers with its number",
        description="Send newCall when the call begins. A form with the same fields works, too.",
        request_schema=reference("PhoneCall"),
        response_schema=reference("PhoneCallAnswer"),
        has_count_headers=True,
        tag=TAG,
    )
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
        description="Twilio sends a form; JSON works, too. The signature is the credential.",
        request_schema=reference("TwilioForm"),
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
    twilio["requestBody"]["content"] = {
        "application/x-www-form-urlencoded": {"schema": reference("TwilioForm")}
    }
    return {"/v1/phone/calls": {"post": call}, "/v1/phone/twilio/{source}": {"post": twilio}}
