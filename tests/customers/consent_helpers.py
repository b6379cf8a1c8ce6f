"""Helpers that record consent statements, for tests."""

from datetime import datetime
from uuid import UUID

from customers.actions import consent, notices
from customers.actions.changes import ChangeAuthor
from customers.consent.chain_writer import RecordedStatements
from customers.consent.statements import ConsentStatement
from customers.models import ConsentState, Notice
from tests import factories
from tests.factories import NOON

TEXT = "Larkmoor may write to you about offers. You can take it back at any time."
NOTICE = notices.digest(TEXT)


def house() -> None:
    """Publish the purposes of the park: offers, surveys, and the use of past visits."""
    names = {"offers": "contact", "surveys": "contact", "personalize": "use"}
    notices.publish(
        purposes=[
            notices.PurposeText(
                key,
                kind,
                {"en": {"name": key, "description": f"{key}, please"}},
                dpv="https://w3id.org/dpv#DirectMarketing",
                details={"data_categories": ["address"], "retention": "P2Y"},
            )
            for key, kind in names.items()
        ],
        notices=[notices.NoticeText(key, 1, {"en": TEXT}) for key in names],
        topics=[notices.TopicText(key, {}) for key in ("rides", "visits")],
        now=NOON,
    )


def author(*, trusted: bool = True, actor: str = "", channel: str = "web") -> ChangeAuthor:
    return ChangeAuthor(factories.sender(factories.source(channel=channel), trusted=trusted), actor)


def say(
    customer_id: UUID,
    *words: ConsentStatement,
    by: ChangeAuthor | None = None,
    now: datetime = NOON,
) -> RecordedStatements:
    return consent.record_statements(
        customer_id=customer_id, statements=words, author=by or author(), now=now
    )


def give(purpose: str = "offers", **facts) -> ConsentStatement:
    return ConsentStatement(kind="consent.given", subject=purpose, notice=NOTICE, **facts)


def withdraw(purpose: str = "offers", **facts) -> ConsentStatement:
    return ConsentStatement(kind="consent.withdrawn", subject=purpose, **facts)


def refuse(purpose: str = "offers", **facts) -> ConsentStatement:
    return ConsentStatement(kind="consent.refused", subject=purpose, **facts)


def object_(subject: str = "marketing", **facts) -> ConsentStatement:
    return ConsentStatement(kind="objection.made", subject=subject, **facts)


def prefer(name: str, value: object, **facts) -> ConsentStatement:
    return ConsentStatement(kind="preference.set", subject=name, value=value, **facts)


def published(purpose: str = "offers") -> Notice:
    return Notice.objects.get(purpose=purpose)


def consent_state_of(customer_id: UUID) -> ConsentState:
    return ConsentState.objects.get(customer_id=customer_id)
