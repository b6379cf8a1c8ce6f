"""The paths below `/v1/email/` in the OpenAPI document."""

from channels.ingest.openapi import OpenApiSchema, operation

TAG = "email"


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the mail webhook."""
    reports = operation(
        "email_reports",
        "Receive delivery reports of the mail provider, in its format and with its signature",
        # An object, a list or a form, depending on the provider.
        request_schema={},
        response_schema={},
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        tag=TAG,
    )
    reports["requestBody"]["content"] |= {"application/x-www-form-urlencoded": {"schema": {}}}
    del reports["responses"]["200"]
    reports["responses"]["204"] = {"description": "Stored"}
    return {"/v1/email/reports": {"post": reports}}
