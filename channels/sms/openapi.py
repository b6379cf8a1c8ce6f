"""What `/v1/sms/` looks like, for the OpenAPI file."""

from channels.ingest.openapi import Document, header, operation

TAG = "sms"
_TEXT: Document = {"type": "string"}


def openapi_paths() -> dict[str, Document]:
    """Describe every address of this package."""
    return {
        "/v1/sms/inbound": {"post": _inbound()},
        "/v1/sms/status": {"post": _status()},
    }


def _inbound() -> Document:
    inbound = _callback(
        "sms_inbound", "Take in an SMS of a customer's", ["MessageSid", "From", "To", "Body"]
    )
    inbound["responses"]["200"]["content"] = {"text/xml": {"schema": _TEXT}}
    return inbound


def _status() -> Document:
    named: Document = {
        "name": "message",
        "in": "query",
        "required": False,
        "description": "How we call the message; signed with the address",
        "schema": {"type": "string"},
    }
    status = _callback(
        "sms_status",
        "Take in what became of an SMS",
        ["MessageSid", "MessageStatus", "ErrorCode"],
        named,
    )
    del status["responses"]["200"]
    status["responses"]["204"] = {"description": "Noted"}
    return status


def _callback(name: str, summary: str, fields: list[str], *parameters: Document) -> Document:
    form: Document = {
        "type": "object",
        "additionalProperties": True,
        "properties": dict.fromkeys(fields, _TEXT),
    }
    document = operation(
        name,
        summary,
        request_schema=form,
        response_schema=_TEXT,
        parameters=[
            header("X-Twilio-Signature", "Over the form, or with bodySHA256", required=True),
            *parameters,
        ],
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        tag=TAG,
    )
    document["requestBody"]["content"] |= {"application/x-www-form-urlencoded": {"schema": form}}
    return document
