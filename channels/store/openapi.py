"""The paths below `/v1/store/` in the OpenAPI document."""

from channels.ingest.openapi import ERROR, OpenApiSchema, operation

TAG = "store"
_TEXT: OpenApiSchema = {"type": "string", "maxLength": 128}
_MOMENT: OpenApiSchema = {"type": "string", "format": "date-time"}
SCAN: OpenApiSchema = {
    "type": "object",
    "description": "Exactly one of card, code, order and phone.",
    "properties": {
        "card": _TEXT,
        "code": {**_TEXT, "description": "The secret code of a ticket"},
        "order": {**_TEXT, "description": "The number of an order to look up"},
        "phone": _TEXT,
        "till": _TEXT,
        "staff": _TEXT,
        "at": _MOMENT,
        "device": _TEXT,
        "id": {**_TEXT, "description": "The line's id on its device"},
    },
}
TILL_SCAN: OpenApiSchema = {
    "type": "object",
    "required": ["id"],
    "properties": SCAN["properties"]
    | {"event": _TEXT, "properties": {"type": "object", "additionalProperties": True}},
}
BATCH: OpenApiSchema = {
    "type": "object",
    "required": ["device", "lines"],
    "properties": {
        "device": {"type": "string", "minLength": 1, "maxLength": 40},
        "sequence": {"type": "integer"},
        "clock": {**_MOMENT, "description": "The time of the device's clock at sending"},
        "lines": {"type": "array", "maxItems": 1000, "items": TILL_SCAN},
    },
}
ORDER: OpenApiSchema = {
    "type": ["object", "null"],
    "properties": {
        "number": _TEXT,
        "status": _TEXT,
        "visit_date": {"type": ["string", "null"], "format": "date"},
        "visit_time": {"type": ["string", "null"]},
    },
}
GATE_SENTENCE: OpenApiSchema = {
    "type": "object",
    "required": ["id", "version", "name", "is_verified", "line", "order"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "is_verified": {"type": "boolean"},
        "line": {"type": "string", "description": "One sentence about the customer and the visit"},
        "order": ORDER,
    },
}
TICKET_STATES = (
    "good",
    "partly_refunded",
    "used",
    "cancelled",
    "expired",
    "wrong_day",
    "moved",
    "replaced",
    "requested",
    "mistyped",
    "foreign",
    "unknown",
    "several",
)
TICKET_ANSWER: OpenApiSchema = {
    "type": "object",
    "required": ["state", "admitted", "line", "id", "version", "name", "order"],
    "properties": {
        "state": {"type": "string", "enum": list(TICKET_STATES)},
        "admitted": {"type": "boolean", "description": "True: open the gate"},
        "line": {"type": "string", "description": "The state of the ticket in one line"},
        "id": {"type": ["string", "null"], "format": "uuid"},
        "version": {"type": ["integer", "null"]},
        "name": {"type": ["string", "null"]},
        "order": ORDER,
    },
}
BATCH_RECEIPT: OpenApiSchema = {
    "type": "object",
    "required": ["success", "sequence", "lines"],
    "properties": {
        "success": {"type": "boolean", "const": True},
        "sequence": {"type": ["integer", "null"]},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "status", "reason"],
                "properties": {
                    "id": {"type": "string"},
                    "status": {
                        "type": "string",
                        "enum": ["accepted", "duplicate", "other_content", "quarantined"],
                    },
                    "reason": {"type": "string"},
                },
            },
        },
    },
}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of tills and gates."""
    scan = operation(
        "store_scan",
        "Store a scan, and get one sentence about the ticket or the customer",
        request_schema=SCAN,
        response_schema={"anyOf": [TICKET_ANSWER, GATE_SENTENCE]},
        has_count_headers=True,
        tag=TAG,
    )
    for code, description in (
        ("404", "No customer has this identifier; Butler stored the scan"),
        ("409", "Several customers have this identifier; Butler stored the scan"),
    ):
        scan["responses"][code] = {
            "description": description,
            "content": {"application/json": {"schema": ERROR}},
        }
    batch = operation(
        "store_batch",
        "Store the scans of an offline till, in any order, late or repeated",
        request_schema=BATCH,
        response_schema=BATCH_RECEIPT,
        has_count_headers=True,
        tag=TAG,
    )
    return {"/v1/store/scans": {"post": scan}, "/v1/store/batches": {"post": batch}}
