"""The paths below `/v1/sms/` in the OpenAPI document."""

from channels.ingest.openapi import OpenApiSchema, header, operation, reference

TAG = "sms"
_TEXT: OpenApiSchema = {"type": "string"}


def _form(description: str, fields: list[str]) -> OpenApiSchema:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": True,
        "properties": dict.fromkeys(fields, _TEXT),
    }


SCHEMAS: dict[str, OpenApiSchema] = {
    "InboundSms": _form("An SMS of a customer.", ["MessageSid", "From", "To", "Body"]),
    "SmsStatus": _form(
        "The delivery status of an SMS.", ["MessageSid", "MessageStatus", "ErrorCode"]
    ),
}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the SMS webhooks."""
    return {
        "/v1/sms/inbound": {"post": _inbound()},
        "/v1/sms/status": {"post": _status()},
    }


def _inbound() -> OpenApiSchema:
    inbound = _callback("sms_inbound", "Receive an SMS of a customer", "InboundSms")
    inbound["responses"]["200"]["content"] = {"text/xml": {"schema": _TEXT}}
    return inbound


def _status() -> OpenApiSchema:
    named: OpenApiSchema = {
        "name": "message",
        "in": "query",
        "required": False,
        "description": "Butler's id of the message; the signature covers it",
        "schema": {"type": "string"},
    }
    status = _callback("sms_status", "Receive the delivery status of an SMS", "SmsStatus", named)
    del status["responses"]["200"]
    status["responses"]["204"] = {"description": "Stored"}
    return status


def _callback(name: str, summary: str, form: str, *parameters: OpenApiSchema) -> OpenApiSchema:
    document = operation(
        name,
        summary,
        description="Twilio sends a form; JSON works, too. The signature is the credential.",
        request_schema=reference(form),
        response_schema=_TEXT,
        parameters=[
            header(
                "X-Twilio-Signature",
                "The signature of the URL and the form, or of the URL with bodySHA256",
                required=True,
            ),
            *parameters,
        ],
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        tag=TAG,
    )
    document["requestBody"]["content"] = {
        "application/x-www-form-urlencoded": {"schema": reference(form)}
    }
    return document
