"""What `/v1/store/` looks like, for the OpenAPI file."""

from channels.ingest.openapi import ERROR, Document, operation

TAG = "store"
_TEXT: Document = {"type": "string", "maxLength": 128}
_MOMENT: Document = {"type": "string", "format": "date-time"}
SCAN: Document = {
    "type": "object",
    "description": "One of card, code and phone.",
    "properties": {
        "card": _TEXT,
        "code": {**_TEXT, "description": "The number of an order, as on its ticket"},
        "phone": _TEXT,
        "till": _TEXT,
        "staff": _TEXT,
        "at": _MOMENT,
        "device": _TEXT,
        "id": {**_TEXT, "description": "The line's id on its device"},
    },
}
TILL_SCAN: Document = {
    "type": "object",
    "required": ["id"],
    "properties": SCAN["properties"]
    | {"event": _TEXT, "properties": {"type": "object", "additionalProperties": True}},
}
BATCH: Document = {
    "type": "object",
    "required": ["device", "lines"],
    "properties": {
        "device": {"type": "string", "minLength": 1, "maxLength": 40},
        "sequence": {"type": "integer"},
        "clock": {**_MOMENT, "description": "What the device's clock shows as it sends"},
        "lines": {"type": "array", "maxItems": 1000, "items": TILL_SCAN},
    },
}
ORDER: Document = {
    "type": ["object", "null"],
    "properties": {
        "number": _TEXT,
        "status": _TEXT,
        "visit_date": {"type": ["string", "null"], "format": "date"},
        "visit_time": {"type": ["string", "null"]},
    },
}
GATE_SENTENCE: Document = {
    "type": "object",
    "required": ["id", "version", "name", "is_verified", "line", "order"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "is_verified": {"type": "boolean"},
        "line": {"type": "string", "description": "What matters now, in one line"},
        "order": ORDER,
    },
}
BATCH_RECEIPT: Document = {
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


def openapi_paths() -> dict[str, Document]:
    """Describe every address of this package."""
    scan = operation(
        "store_scan",
        "Take in a scan, and learn in one line who it is",
        request_schema=SCAN,
        response_schema=GATE_SENTENCE,
        has_count_headers=True,
        tag=TAG,
    )
    for code, description in (
        ("404", "Nobody is known by it; the scan was kept"),
        ("409", "Several customers share it; the scan was kept"),
    ):
        scan["responses"][code] = {
            "description": description,
            "content": {"application/json": {"schema": ERROR}},
        }
    batch = operation(
        "store_batch",
        "Take in what an offline till gathered: in any order, late, twice",
        request_schema=BATCH,
        response_schema=BATCH_RECEIPT,
        has_count_headers=True,
        tag=TAG,
    )
    return {"/v1/store/scans": {"post": scan}, "/v1/store/batches": {"post": batch}}
