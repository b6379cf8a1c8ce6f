"""What `/v1/email/` looks like, for the OpenAPI file."""

from channels.ingest.openapi import Document, operation

TAG = "email"


def openapi_paths() -> dict[str, Document]:
    """Describe every address of this package."""
    reports = operation(
        "email_reports",
        "Take in what the provider of mail reports, in its own form and with its own proof",
        # An object, a list or a form: each provider has a form of its own.
        request_schema={},
        response_schema={},
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        tag=TAG,
    )
    reports["requestBody"]["content"] |= {"application/x-www-form-urlencoded": {"schema": {}}}
    del reports["responses"]["200"]
    reports["responses"]["204"] = {"description": "Noted"}
    return {"/v1/email/reports": {"post": reports}}
