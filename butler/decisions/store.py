"""Inserts decisions into butler_decision."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from butler import sql
from butler.types import Contact, DecisionResult, Gate
from customers.sql import json

type DecisionOutcome = Literal["send", "defer", "skip", "person"]
_OUTCOMES: dict[str, DecisionOutcome] = {"allow": "send", "defer": "defer", "deny": "skip"}


class DecisionRow(msgspec.Struct, frozen=True):
    """One row of butler_decision; the names are its columns."""

    id: UUID
    customer_id: UUID
    run_id: UUID | None
    message_id: UUID | None
    automation_id: str
    stage: Literal["judge", "claim"]
    outcome: DecisionOutcome
    code: str
    act: dict[str, str]
    gates: Sequence[Gate]
    until: datetime | None
    customer_version: int
    rules_version: str
    decided_at: datetime


def decision_row(
    decision: DecisionResult,
    contact: Contact,
    *,
    customer_id: UUID,
    stage: Literal["judge", "claim"],
    now: datetime,
    run_id: UUID | None = None,
    message_id: UUID | None = None,
) -> DecisionRow:
    """Return the row for a decision."""
    is_for_person = decision.effect == "allow" and decision.route_to == "person"
    return DecisionRow(
        id=uuid7(),
        customer_id=customer_id,
        run_id=run_id,
        message_id=message_id,
        automation_id=contact.automation,
        stage=stage,
        outcome="person" if is_for_person else _OUTCOMES[decision.effect],
        code=decision.code,
        act=act_columns(contact),
        gates=decision.gates,
        until=decision.until,
        customer_version=decision.customer_version,
        rules_version=decision.rules_version,
        decided_at=now,
    )


def act_columns(contact: Contact) -> dict[str, str]:
    """Return the act of a decision in the format of the column `act`."""
    return {
        "class": contact.message_class,
        "topic": contact.topic,
        "channel": contact.channel,
        "purpose": contact.purpose,
        "relation": contact.relation,
    }


def insert(decisions: Sequence[DecisionRow]) -> None:
    """Insert decisions in the open transaction."""
    if decisions:
        sql.run("insert_decisions", {"decisions": json(decisions)})
