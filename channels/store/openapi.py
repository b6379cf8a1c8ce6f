"""The paths below `/v1/store/` in the OpenAPI document."""

from channels.ingest.openapi import OpenApiSchema, operation, reference

TAG = "store"
_TEXT: OpenApiSchema = {"type": "string", "maxLength": 128}
_MOMENT: OpenApiSchema = {"type": "string", "format": "date-time"}
_SCAN: OpenApiSchema = {
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
_TILL_SCAN: OpenApiSchema = {
    "description": "One scan of a till that was offline.",
    "type": "object",
    "required": ["id"],
    "properties": _SCAN["properties"]
    | {"event": _TEXT, "properties": {"type": "object", "additionalProperties": True}},
}
_BATCH: OpenApiSchema = {
    "description": "The scans of one till that was offline.",
    "type": "object",
    "required": ["device", "lines"],
    "properties": {
        "device": {"type": "string", "minLength": 1, "maxLength": 40},
        "sequence": {"type": "integer"},
        "clock": {**_MOMENT, "description": "The time of the device's clock at sending"},
        "lines": {"type": "array", "maxItems": 1000, "items": reference("TillScan")},
    },
}
_ORDER: OpenApiSchema = {
    "description": "The order of a ticket; null if there is none.",
    "type": ["object", "null"],
    "properties": {
        "number": _TEXT,
        "status": _TEXT,
        "visit_date": {"type": ["string", "null"], "format": "date"},
        "visit_time": {"type": ["string", "null"]},
    },
}
_CUSTOMER: OpenApiSchema = {
    "description": "The customer with the scanned identifier, in one sentence.",
    "type": "object",
    "required": ["id", "version", "name", "is_verified", "line", "order"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "is_verified": {"type": "boolean"},
        "line": {"type": "string", "description": "One sentence about the customer and the visit"},
        "order": reference("OrderAtGate"),
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
_TICKET: OpenApiSchema = {
    "description": "The state of the scanned ticket.",
    "type": "object",
    "required": ["state", "admitted", "line", "id", "version", "name", "order"],
    "properties": {
        "state": {"type": "string", "enum": list(TICKET_STATES)},
        "admitted": {"type": "boolean", "description": "True: open the gate"},
        "line": {"type": "string", "description": "The state of the ticket in one line"},
        "id": {"type": ["string", "null"], "format": "uuid"},
        "version": {"type": ["integer", "null"]},
        "name": {"type": ["string", "null"]},
        "order": reference("OrderAtGate"),
    },
}
_RECEIPT: OpenApiSchema = {
    "description": "What Butler did with each scan.",
    "type": "object",
    "required": ["success", "sequence", "lines"],
    "properties": {
        "success": {"type": "boolean", "const": True},
        "sequence": {"type": ["integer", "null"]},
        "lines": {
            "type": "array",
            "items": reference("TillLineReceipt"),
        },
    },
}
_LINE_RECEIPT: OpenApiSchema = {
    "description": "What Butler did with one scan.",
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
}
SCHEMAS = {
    "CustomerAtGate": _CUSTOMER,
    "OrderAtGate": _ORDER,
    "Scan": _SCAN,
    "TicketAtGate": _TICKET,
    "TillBatch": _BATCH,
    "TillBatchReceipt": _RECEIPT,
    "TillLineReceipt": _LINE_RECEIPT,
    "TillScan": _TILL_SCAN,
}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of tills and gates."""
    scan = operation(
        "store_scan",
        "Store a scan, and get one sentence about the ticket or the customer",
        description="A till sends a scan again with the same id, and Butler stores it once.",
        request_schema=reference("Scan"),
        response_schema={"anyOf": [reference("TicketAtGate"), reference("CustomerAtGate")]},
        has_count_headers=True,
        tag=TAG,
    )
    for code, description in (
        ("404", "No customer has this identifier; Butler stored the scan"),
        ("409", "Several customers have this identifier; Butler stored the scan"),
    ):
        scan["responses"][code] = {
            "description": description,
            "content": {"application/json": {"schema": reference("IngestError")}},
        }
    batch = operation(
        "store_batch",
        "Store the scans of an offline till, in any order, late or repeated",
        description="Each scan has an id, so a till may send a batch again.",
        request_schema=reference("TillBatch"),
        response_schema=reference("TillBatchReceipt"),
        has_count_headers=True,
        tag=TAG,
    )
    return {"/v1/store/scans": {"post": scan}, "/v1/store/batches": {"post": batch}}
