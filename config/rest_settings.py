"""The settings of the REST framework and of its OpenAPI schema."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "customers.access.authentication.KeyAuthentication",
        "customers.access.authentication.TokenAuthentication",
        "customers.access.account_tokens.IdentityTokenAuthentication",
        "customers.access.authentication.CookieAuthentication",
    ],
    # Each view names the right that it needs. A view without a right refuses every caller.
    "DEFAULT_PERMISSION_CLASSES": ["customers.access.permissions.HasRight"],
    "DEFAULT_PARSER_CLASSES": ["config.request_limits.LimitedParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "config.openapi.document.OperationSchema",
    "EXCEPTION_HANDLER": "customers.api.problems.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Butler",
    "DESCRIPTION": "One record per customer, shared by every channel.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "PREPROCESSING_HOOKS": ["config.openapi.document.rest_endpoints"],
    "POSTPROCESSING_HOOKS": ["config.openapi.document.complete_document"],
}
