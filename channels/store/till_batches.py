"""Read the scans in the batch of an offline till; one invalid scan rejects no other. Pure."""

from itertools import islice
from typing import Any, NamedTuple

from channels.ingest import batches, clock, limits, salvage, segment, tolerant_json
from channels.ingest.limits import InvalidEvent
from channels.ingest.salvage import RawList
from channels.ingest.segment import ParsedEvent, RequestContext
from channels.ingest.tolerant_json import InvalidBatch
from channels.store import scans
from channels.store.scans import RawScan
from customers.types import RejectedItem
from customers.values import times

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
    """One line: its id on the device, and the scan of a code, the event or the rejected item."""

    id: str
    event: ParsedEvent | RawScan


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
        if "event" not in scan and scans.text_field(scan, "code"):
            return TillScan(scan_id, _ticket_scan(scan, batch, request_context))
        event = scans.till_scan_event(scan, device=batch.device)
        # The digest leaves this out, so that a line in another batch is still the same line.
        event["_metadata"] = {"device": batch.device, "sequence": batch.sequence}
        return TillScan(scan_id, segment.build_event(event, request_context))
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        return TillScan(
            scan_id, RejectedItem(scans.without_code(raw), invalid.reason, invalid.detail)
        )


def _ticket_scan(
    scan: dict[str, Any], batch: TillBatch, request_context: RequestContext
) -> RawScan:
    """Return the scan of a code with its time by the right clock. Raises InvalidEvent."""
    scans.scanned_identifier(scan)
    message_id = scans.line_message_id(scan, batch.device)
    at = received_at = request_context.received_at
    if text := scans.text_field(scan, "at"):
        stated_time = times.read_instant(text, request_context.local_zone)
        if stated_time is None:
            raise InvalidEvent("unreadable_time", "`at` is not RFC 3339 or epoch time")
        at = clock.corrected_time(
            stated_time, received_at, request_context.clock_error, is_stamped_once=False
        )
    metadata = {"device": batch.device, "sequence": batch.sequence}
    return RawScan(scan | {"device": batch.device}, message_id, at, metadata)
