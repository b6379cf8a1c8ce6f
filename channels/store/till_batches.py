"""Read the scans in the batch of an offline till; one invalid scan rejects no other. Pure."""

from itertools import islice
from typing import NamedTuple

from channels.ingest import batches, limits, salvage, segment, tolerant_json
from channels.ingest.salvage import RawList
from channels.ingest.segment import ParsedEvent, RequestContext
from channels.ingest.tolerant_json import InvalidBatch
from channels.store import scans
from customers.types import RejectedItem

MAX_SCANS = 1000
MAX_DEVICE = 40


class TillBatch(NamedTuple):
    """The batch of a device: the device, the number of the batch, the clock and the raw scans."""

    device: str
    sequence: int | None
    # The time of the device's clock, as it came.
    clock: object
    raw_scans: list[bytes]


class TillScan(NamedTuple):
    """One scan: its id on the device, and the event or the rejected item."""

    id: str
    event: ParsedEvent


def parse_batch(body: bytes) -> TillBatch:
    """Parse a batch. Raises InvalidBatch."""
    body = batches.without_byte_order_mark(body)
    raw_scans, members = salvage.parse_or_salvage(
        _split_lines, body, list_name=b"lines", max_members=MAX_SCANS
    )
    if len(raw_scans) > MAX_SCANS:
        raise InvalidBatch(f"a batch has at most {MAX_SCANS} lines")
    device = batches.decoded_scalar(members.get(b"device", b""))
    if type(device) is not str or not 0 < len(device) <= MAX_DEVICE:
        raise InvalidBatch(f'"device" must be text of 1 to {MAX_DEVICE} characters')
    sequence = batches.decoded_scalar(members.get(b"sequence", b""))
    return TillBatch(
        device,
        sequence if type(sequence) is int else None,
        batches.decoded_scalar(members.get(b"clock", b"")),
        raw_scans,
    )


def _split_lines(body: bytes) -> RawList:
    """Return the raw lines, and the raw fields around them. Raises InvalidBatch."""
    if not body.startswith(b"{"):
        raise InvalidBatch("the body is not a JSON object")
    members = dict(tolerant_json.object_members(body))
    raw_lines = members.get(b"lines", b"")
    if not raw_lines.startswith(b"["):
        raise InvalidBatch('"lines" is not a list')
    raw_scans = list(islice(tolerant_json.split_members(raw_lines), MAX_SCANS + 1))
    return RawList(raw_scans, members)


def read_scan(raw: bytes, batch: TillBatch, request_context: RequestContext) -> TillScan:
    """Return one scan with its event, or with the rejected item."""
    scan_id = ""
    try:
        scan, _ = limits.read_object(raw)
        scan_id = scans.text_field(scan, "id")
        event = scans.till_scan_event(scan, device=batch.device)
        # The digest leaves this out, so that a line in another batch is still the same line.
        event["_metadata"] = {"device": batch.device, "sequence": batch.sequence}
        return TillScan(scan_id, segment.build_event(event, request_context))
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        return TillScan(scan_id, RejectedItem(raw, invalid.reason, invalid.detail))
