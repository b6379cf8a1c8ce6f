"""Writes decisions down: the one form in which they are kept, whoever took them. Thin."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from butler import sql
from butler.types import Contact, Decision, Gate
from customers.sql import json

type Outcome = Literal["send", "defer", "skip", "person"]
_OUTCOMES: dict[str, Outcome] = {"allow": "send", "defer": "defer", "deny": "skip"}


class Verdict(msgspec.Struct, frozen=True):
    """One row of butler_decision; the names are its columns."""

    id: UUID
    customer_id: UUID
    run_id: UUID | None
    message_id: UUID | None
    automation_id: str
    stage: Literal["judge", "claim"]
    outcome: Outcome
    code: str
    act: dict[str, str]
    gates: Sequence[Gate]
    until: datetime | None
    customer_version: int
    rules_version: str
    decided_at: datetime


def verdict(
    decision: Decision,
    act: Contact,
    *,
    customer_id: UUID,
    stage: Literal["judge", "claim"],
    now: datetime,
    run_id: UUID | None = None,
    message_id: UUID | None = None,
) -> Verdict:
    """Return how a decision is kept."""
    is_for_a_person = decision.effect == "allow" and decision.route_to == "person"
    return Verdict(
        id=uuid7(),
        customer_id=customer_id,
        run_id=run_id,
        message_id=message_id,
        automation_id=act.automation,
        stage=stage,
        outcome="person" if is_for_a_person else _OUTCOMES[decision.effect],
        code=decision.code,
        act=of(act),
        gates=decision.gates,
        until=decision.until,
        customer_version=decision.customer_version,
        rules_version=decision.rules_version,
        decided_at=now,
    )


def of(act: Contact) -> dict[str, str]:
    """Return what a decision was about, as it is kept with it."""
    return {
        "class": act.message_class,
        "topic": act.topic,
        "channel": act.channel,
        "purpose": act.purpose,
        "relation": act.relation,
    }


def keep(verdicts: Sequence[Verdict]) -> None:
    """Store decisions inside the open transaction."""
    if verdicts:
        sql.run("write_decisions", {"decisions": json(verdicts)})
