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
_FORM: OpenApiSchema = {
    "type": "object",
    "description": "Delivery reports of a mail provider that sends forms.",
    "additionalProperties": True,
}
SCHEMAS = {"MailReports": _REPORTS, "MailReportForm": _FORM}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the mail webhook."""
    reports = operation(
        "email_reports",
        "Receive delivery reports of the mail provider, in its format and with its signature",
        description="Answers 204 when the reports are stored. The signature is the credential.",
        request_schema=reference("MailReports"),
        response_schema={},
        security=[],
        errors=(400, 401, 404, 405, 413, 415, 429, 500, 503),
        tag=TAG,
    )
    reports["requestBody"]["content"] |= {
        "application/x-www-form-urlencoded": {"schema": reference("MailReportForm")}
    }
    del reports["responses"]["200"]
    reports["responses"]["204"] = {"description": "Stored"}
    return {"/v1/email/reports": {"post": reports}}
