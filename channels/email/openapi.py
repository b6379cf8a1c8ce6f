"""The paths below `/v1/email/` in the OpenAPI document."""

from channels.ingest.openapi import OpenApiSchema, operation, reference

TAG = "email"
# An object, a list or a form, depending on the provider.
_REPORTS: OpenApiSchema = {
    "type": ["object", "array"],
    "description": "Delivery reports in the format of the mail provider.",
    "additionalProperties": True,
    "items": {},
}
SCHEMAS = {"MailReports": _REPORTS}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the mail webhook."""
    reports = operation(
        "email_reports",
        "Receive delivery reports of the mail provider, in its format and with its signature",
        description="The signature is the credential. Some providers send a form instead of JSON.",
        request_schema=reference("MailReports"),
        response_schema={},
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        tag=TAG,
    )
    del reports["responses"]["200"]
    reports["responses"]["204"] = {"description": "Stored"}
    return {"/v1/email/reports": {"post": reports}}
