"""Starts the runs of an automation for its audience, in batches.

Recipients whom the automation cannot reach get an ended run; the others get a waiting run. Each
batch is one transaction, so a process that dies loses no recipient and starts no run twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from butler import sql
from butler.automations import audiences, prefilter, triggers, versions
from butler.automations.prefilter import ChannelChoice
from butler.automations.versions import LoadedVersion
from butler.decisions.bulk import denial_codes
from butler.decisions.inputs import company_zone, rules
from butler.document import AutomationDocument
from butler.due import civil_time
from butler.due.queue import ClaimedDue, Reschedule
from butler.models import PauseSwitch, TopicStatus
from customers.sql import json

BATCH = 2000

# The codes with which each channel refuses a recipient, in the order of the channels.
type _RefusalCodes = tuple[str, ...]


class _Recipient(NamedTuple):
    """One customer of a batch, and the time at which the run is due."""

    customer_id: UUID
    due_at: datetime


def fan_out(due: ClaimedDue, now: datetime) -> Reschedule | None:
    """Start a run for each customer of one batch; return the due row of the next batch, or None."""
    parameters = due.parameters
    version = versions.read([parameters["version"]]).get(parameters["version"])
    if version is None or _is_obsolete(version, parameters["cause"]):
        return None
    ids = _read_batch(parameters, now)
    recipients = [_Recipient(*row) for row in _due_times(ids, parameters)]
    refused = _refused_recipients(version, recipients)
    if refused:
        _insert_refused_runs(version, parameters, recipients, refused, now)
    reachable = [recipient for recipient in recipients if recipient.customer_id not in refused]
    if reachable:
        _start_runs(version, parameters, reachable, now)
    return Reschedule(now, {**parameters, "after": str(ids[-1])}) if len(ids) == BATCH else None


def _read_batch(parameters: Mapping[str, Any], now: datetime) -> list[UUID]:
    """Return the next customers of the audience."""
    return audiences.read_batch(
        parameters["audience"],
        topic=parameters["cause"].get("topic", ""),
        after=UUID(parameters["after"]) if "after" in parameters else audiences.FIRST_CURSOR,
        limit=BATCH,
        now=now,
    )


def _is_obsolete(version: LoadedVersion, cause: Mapping[str, Any]) -> bool:
    """Return whether a pause switch stops the automation, or the topic has changed again."""
    is_engaged = PauseSwitch.objects.filter(
        key__in=["*", version.automation_id], released_at__isnull=True
    ).exists()
    if is_engaged or "topic" not in cause:
        return is_engaged
    serial = cause["serial"]
    return not TopicStatus.objects.filter(key=cause["topic"], serial=serial).exists()


def _due_times(ids: list[UUID], parameters: Mapping[str, Any]) -> Iterator[tuple[UUID, datetime]]:
    """Yield the due time of each customer: the given moment, or a time in their time zone."""
    if "moment" in parameters:
        due_at = datetime.fromisoformat(parameters["moment"])
        yield from ((id_, due_at) for id_ in ids)
        return
    day, at = date.fromisoformat(parameters["cause"]["day"]), parameters["cause"]["at"]
    for id_, zone in sql.rows("read_zones", {"ids": ids}):
        yield (
            id_,
            civil_time.local_to_instant(day, at, civil_time.find_zone(zone) or company_zone()),
        )


def _start_runs(
    version: LoadedVersion,
    parameters: Mapping[str, Any],
    recipients: Sequence[_Recipient],
    now: datetime,
) -> None:
    occasion, cause = parameters["occasion"], parameters["cause"]
    starts = [
        triggers.scheduled_start(version, customer_id, occasion, cause, due_at, now)
        for customer_id, due_at in recipients
    ]
    triggers.start_runs(starts, now=now)


# Recipients whom the automation cannot reach --------------------------------------------


def _refused_recipients(
    version: LoadedVersion, recipients: Sequence[_Recipient]
) -> dict[UUID, _RefusalCodes]:
    """Return the customers whom all channels refuse, each with the codes of the channels."""
    document = version.document
    channels = prefilter.all_channels(prefilter.initial_choices(document))
    if not recipients or not channels:
        return {}
    # A customer's pause refuses only if it lasts until the last message of the batch expires.
    expires_at = max(recipient.due_at for recipient in recipients) + civil_time.parse_duration(
        document.expires
    )
    refused_ids = [recipient.customer_id for recipient in recipients]
    codes: dict[UUID, _RefusalCodes] = {}
    for channel in channels:
        code_by_id = _denials(document, refused_ids, channel, expires_at)
        refused_ids = list(code_by_id)
        codes = {id_: (*codes.get(id_, ()), code) for id_, code in code_by_id.items()}
    return codes


def _denials(
    document: AutomationDocument, ids: Sequence[UUID], channel: str, expires_at: datetime
) -> dict[UUID, str]:
    """Return the customers whom a channel refuses, each with the code."""
    batches = denial_codes(
        ids,
        message_class=document.message_class,
        purpose=document.purpose,
        topic=document.topic,
        channel=channel,
        expires_at=expires_at,
    )
    return {id_: code for batch in batches for id_, code in batch if code}


def _insert_refused_runs(
    version: LoadedVersion,
    parameters: Mapping[str, Any],
    recipients: Sequence[_Recipient],
    refused: Mapping[UUID, _RefusalCodes],
    now: datetime,
) -> None:
    """Write the ended run and the decisions of each refused recipient.

    The statement receives each distinct tuple of codes once, as a numbered refusal. Recipients
    with the same codes share it.
    """
    numbers = {codes: number for number, codes in enumerate(dict.fromkeys(refused.values()))}
    refusals = [
        (recipient, numbers[refused[recipient.customer_id]])
        for recipient in recipients
        if recipient.customer_id in refused
    ]
    params = {
        "version": version.id,
        "occasion": parameters["occasion"],
        "cause": json(parameters["cause"]),
        "now": now,
        "rules_version": rules().version,
        "reasons": json(_refusal_reasons(version, numbers)),
    }
    columns = _refusal_columns(version, refusals)
    sql.run("insert_refused_runs", params | columns)


def _refusal_reasons(
    version: LoadedVersion, numbers: Mapping[_RefusalCodes, int]
) -> list[dict[str, object]]:
    """Return the decision of each numbered refusal on each choice of channels."""
    choices = prefilter.initial_choices(version.document)
    return [
        {"refusal": number, "choice": index} | _decision_columns(version, choice, codes)
        for codes, number in numbers.items()
        for index, choice in enumerate(choices)
    ]


def _refusal_columns(
    version: LoadedVersion, refusals: Sequence[tuple[_Recipient, int]]
) -> dict[str, list[object]]:
    """Return the decisions to insert, by column: for each recipient, on each choice of channels."""
    runs = [(uuid7(), recipient, number) for recipient, number in refusals]
    rows = [
        (uuid7(), run_id, recipient.customer_id, recipient.due_at, number, index)
        for run_id, recipient, number in runs
        for index in range(len(prefilter.initial_choices(version.document)))
    ]
    columns = ("decision_ids", "run_ids", "customer_ids", "due_times", "refusals", "choices")
    return dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))


def _decision_columns(
    version: LoadedVersion, choice: ChannelChoice, codes: _RefusalCodes
) -> dict[str, object]:
    document = version.document
    channels = prefilter.all_channels(prefilter.initial_choices(document))
    code_by_channel = dict(zip(channels, codes, strict=True))
    return {
        "code": code_by_channel[choice[0]],
        "act": {
            "class": document.message_class,
            "topic": document.topic,
            "channel": choice[0],
            "purpose": document.purpose,
            "relation": document.relation,
        },
        "gates": prefilter.denial_gates(choice, code_by_channel),
    }
