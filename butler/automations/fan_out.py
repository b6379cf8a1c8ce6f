"""Goes through a crowd, a batch at a time: ends at once what can never be, starts the rest.

Each batch is a look of its own and one transaction, so that whoever dies in the middle loses
none and tells nobody twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from butler import sql
from butler.automations import audiences, prefilter, triggers, versions
from butler.automations.prefilter import Choice
from butler.automations.versions import Version
from butler.decisions.bulk import judge_many
from butler.decisions.inputs import company_zone, rules
from butler.due import civil_time
from butler.due.queue import ClaimedDue, Reschedule
from butler.models import PauseSwitch, TopicStatus
from customers.sql import json

BATCH = 2000

# What refuses a customer, by channel, in the order of the channels.
type _Codes = tuple[str, ...]


class _Meant(NamedTuple):
    """One of a crowd, and when it is time for them."""

    customer_id: UUID
    moment: datetime


def fan_out(task: ClaimedDue, now: datetime) -> Reschedule | None:
    """Start a run for each of an audience, a batch at a time, as long as it makes sense."""
    facts = task.facts
    version = versions.read([facts["version"]]).get(facts["version"])
    if version is None or _is_over(version, facts["cause"]):
        return None
    ids = audiences.batch(
        facts["audience"],
        topic=facts["cause"].get("topic", ""),
        after=UUID(facts["after"]) if "after" in facts else audiences.NOBODY,
        most=BATCH,
        now=now,
    )
    meant = [_Meant(*one) for one in _moments(ids, facts)]
    refused = _sift(version, meant)
    if refused:
        _end(version, facts, [one for one in meant if one.customer_id in refused], refused, now)
    occasion, cause = facts["occasion"], facts["cause"]
    starts = [
        triggers.scheduled_start(version, one.customer_id, occasion, cause, one.moment, now)
        for one in meant
        if one.customer_id not in refused
    ]
    if starts:
        triggers.start_runs(starts, now=now)
    return Reschedule(now, {**facts, "after": str(ids[-1])}) if len(ids) == BATCH else None


def _is_over(version: Version, cause: Mapping[str, Any]) -> bool:
    """Tell whether somebody stopped it, or the topic has changed again."""
    halted = PauseSwitch.objects.filter(
        key__in=["*", version.automation_id], released_at__isnull=True
    ).exists()
    if halted or "topic" not in cause:
        return halted
    serial = cause["serial"]
    return not TopicStatus.objects.filter(key=cause["topic"], serial=serial).exists()


def _moments(ids: list[UUID], facts: Mapping[str, Any]) -> Iterator[tuple[UUID, datetime]]:
    """Yield each customer's moment: at once, or when it is time on their own clock."""
    if "moment" in facts:
        at_once = datetime.fromisoformat(facts["moment"])
        yield from ((id_, at_once) for id_ in ids)
        return
    day, at = date.fromisoformat(facts["cause"]["day"]), facts["cause"]["at"]
    for id_, name in sql.rows("read_zones", {"ids": ids}):
        yield id_, civil_time.resolve(day, at, civil_time.find_zone(name) or company_zone())


# Whom it can never be for ---------------------------------------------------------------


def _sift(version: Version, meant: Sequence[_Meant]) -> dict[UUID, _Codes]:
    """Return the customers whom no channel is left for, and what refuses each of them."""
    document = version.document
    asked = prefilter.channels(prefilter.choices(document))
    if not meant or not asked:
        return {}
    # A pause that ends before the last of them would hear of it refuses nobody.
    last = max(one.moment for one in meant) + civil_time.parse_length(document.expires)
    left = [one.customer_id for one in meant]
    codes: dict[UUID, _Codes] = {}
    for channel in asked:
        refused = {
            id_: code
            for batch in judge_many(
                left,
                message_class=document.message_class,
                purpose=document.purpose,
                topic=document.topic,
                channel=channel,
                expires_at=last,
            )
            for id_, code in batch
            if code
        }
        left = list(refused)
        codes = {id_: (*codes.get(id_, ()), code) for id_, code in refused.items()}
    return codes


def _end(
    version: Version,
    facts: Mapping[str, Any],
    meant: Sequence[_Meant],
    refused: Mapping[UUID, _Codes],
    now: datetime,
) -> None:
    """Write down that they are not told, and why: few reasons, however many customers."""
    wanted = prefilter.choices(version.document)
    reasons = {codes: number for number, codes in enumerate(dict.fromkeys(refused.values()))}
    said = [
        _said(version, reason, place, choice, codes)
        for codes, reason in reasons.items()
        for place, choice in enumerate(wanted)
    ]
    rows = [
        (uuid7(), run, one.customer_id, one.moment, reasons[refused[one.customer_id]], place)
        for one, run in zip(meant, (uuid7() for _ in meant), strict=True)
        for place in range(len(wanted))
    ]
    columns = ("decisions", "runs", "customers", "moments", "reasons", "places")
    params: dict[str, object] = {
        "version": version.id,
        "occasion": facts["occasion"],
        "cause": json(facts["cause"]),
        "now": now,
        "rules_version": rules().version,
        "said": json(said),
        **dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)),
    }
    sql.run("sift_runs", params)


def _said(
    version: Version, number: int, place: int, choice: Choice, codes: _Codes
) -> Mapping[str, object]:
    document = version.document
    by_channel = dict(zip(prefilter.channels(prefilter.choices(document)), codes, strict=True))
    return {
        "reason": number,
        "place": place,
        "code": by_channel[choice[0]],
        "act": {
            "class": document.message_class,
            "topic": document.topic,
            "channel": choice[0],
            "purpose": document.purpose,
            "relation": document.relation,
        },
        "gates": prefilter.gates(choice, by_channel),
    }
