"""Endpoints of communication preferences."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from msgspec import Meta
from rest_framework.request import Request

from butler.api.statements import (
    LANGUAGE,
    TAG,
    AcknowledgementShape,
    ConsentContext,
    ShortText,
    StatementView,
    requested_language,
    statement_evidence,
)
from customers.access.permissions import Right
from customers.api import schema
from customers.api.base import read_body, shape_response
from customers.consent import purpose_texts, state_reader
from customers.consent.statements import ConsentStatement
from customers.queries.consent_shapes import TopicShape
from customers.queries.shapes import Json


class SettingShape(msgspec.Struct, frozen=True):
    """One current preference; "*" stands for every channel or every topic."""

    name: str
    value: Json
    channel: str
    topic: str
    entry: UUID


class PreferencesShape(msgspec.Struct, frozen=True):
    """Every preference that the customer set, and the topics that exist."""

    settings: list[SettingShape]
    topics: list[TopicShape]


class PreferenceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A preference to set, or to delete (`clear`)."""

    name: ShortText
    value: Any = None
    channel: ShortText = "*"
    topic: ShortText = "*"
    clear: bool = False


class PreferenceChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Preferences to change. If one is invalid, none is changed."""

    changes: Annotated[list[PreferenceChange], Meta(min_length=1, max_length=50)]
    evidence: ConsentContext = {}
    occurred_at: schema.Moment | None = None


class PreferencesView(StatementView):
    """The communication preferences of the customer."""

    rights: ClassVar = {"GET": Right.READ_CONSENTS, "PATCH": Right.CHANGE_CONSENTS}

    @schema.describe(
        "Read the preferences that the customer set",
        answer=schema.shape(PreferencesShape),
        parameters=(LANGUAGE,),
        tags=TAG,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        settings = [
            SettingShape(
                name=setting.name,
                value=msgspec.Raw(msgspec.json.encode(setting.value)),
                channel=setting.channel,
                topic=setting.topic,
                entry=UUID(setting.entry),
            )
            for setting in state_reader.read_state(self.live_id, part=self.part).settings
        ]
        return shape_response(
            PreferencesShape(settings, purpose_texts.topics(requested_language(request)))
        )

    @schema.describe(
        "Set preferences, or clear them; returns the messages that were already sent",
        body=PreferenceChanges,
        answer=schema.shape(AcknowledgementShape),
        tags=TAG,
    )
    def patch(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        body = read_body(request, PreferenceChanges)
        evidence = statement_evidence(request, body.evidence)
        statements = [
            ConsentStatement(
                kind="preference.cleared" if change.clear else "preference.set",
                subject=change.name,
                value=change.value,
                channel=change.channel,
                topic=change.topic,
                evidence=evidence,
                occurred_at=body.occurred_at,
            )
            for change in body.changes
        ]
        return self.record(request, statements)
