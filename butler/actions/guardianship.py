"""Refuses consents of children: only a guardian can consent for a child."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from butler.decisions.inputs import read_facts
from customers.consent.statements import ConsentStatement, InvalidStatement


def refuse_children(
    customer_id: UUID, statements: Sequence[ConsentStatement], now: datetime
) -> None:
    """Raise InvalidStatement for a consent of a child without a guardian."""
    if not any(
        statement.kind == "consent.given" and not _is_by_guardian(statement)
        for statement in statements
    ):
        return
    facts = read_facts([customer_id], now=now).get(customer_id)
    if facts is not None and facts.is_of_age is False:
        raise InvalidStatement(
            "not_of_age", "The customer is too young to consent without a guardian."
        )


def _is_by_guardian(statement: ConsentStatement) -> bool:
    return statement.evidence.get("role") == "guardian"
