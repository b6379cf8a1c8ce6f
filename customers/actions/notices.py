"""Publishes purposes, the exact texts of their notices, and topics."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec
from django.db import transaction

from customers.models import Notice, Purpose, Topic

# By language: {"en": {"name": "...", "description": "..."}}.
type Named = dict[str, dict[str, str]]


class _Publication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class PurposeText(_Publication, frozen=True):
    """A purpose that customers can consent to or refuse."""

    key: str
    kind: Literal["contact", "use"]
    texts: Named
    dpv: str = ""
    # data_categories, processing, recipients, storage, retention, for the ledger entries.
    details: dict[str, Any] = {}
    position: int = 0
    is_offered: bool = True


class NoticeText(_Publication, frozen=True):
    """The text that customers see when the company asks for a consent, by language."""

    purpose: str
    version: int
    texts: dict[str, str]


class TopicText(_Publication, frozen=True):
    """A topic of messages."""

    key: str
    texts: Named
    position: int = 0


class NoticeChanged(Exception):
    """A published notice now has another text. The new text needs a new version number."""

    def __init__(self, purpose: str, version: int, language: str) -> None:
        super().__init__(
            f"the notice of {purpose}, version {version}, {language}: published with another text"
        )


def digest(text: str) -> str:
    """Return the SHA-256 digest of a text in hex. A consent names its notice by this digest."""
    return sha256(text.encode()).hexdigest()


@transaction.atomic
def publish(
    *,
    purposes: Sequence[PurposeText] = (),
    notices: Sequence[NoticeText] = (),
    topics: Sequence[TopicText] = (),
    now: datetime,
) -> int:
    """Publish all of these in one transaction; return the number of new notices.

    Publishing the same again changes no rows. Raises NoticeChanged if the same version of a notice
    was published with another text.
    """
    _upsert(Purpose, purposes, ["kind", "texts", "dpv", "details", "position", "is_offered"])
    _upsert(Topic, topics, ["texts", "position"])
    rows = [row for notice in notices for row in _notice_rows(notice, now)]
    count_before = Notice.objects.count()
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    _reject_changed(rows)
    return Notice.objects.count() - count_before


def _notice_rows(notice: NoticeText, now: datetime) -> list[Notice]:
    """Return a row of the notice for each of its languages."""
    return [
        Notice(
            purpose_id=notice.purpose,
            version=notice.version,
            language=language,
            text=text,
            digest=digest(text),
            published_at=now,
        )
        for language, text in notice.texts.items()
    ]


def _upsert[M: (Purpose, Topic)](
    model: type[M], texts: Sequence[PurposeText | TopicText], fields: list[str]
) -> None:
    rows = [model(**msgspec.to_builtins(text)) for text in sorted(texts, key=lambda text: text.key)]
    if rows:
        # The rows are sorted, so that two machines that start at the same time cannot deadlock.
        model.objects.bulk_create(
            rows, update_conflicts=True, update_fields=fields, unique_fields=["key"]
        )


def _reject_changed(rows: Sequence[Notice]) -> None:
    purposes = {row.purpose_id for row in rows}
    published = {
        (purpose, version, language): text
        for purpose, version, language, text in Notice.objects.filter(
            purpose__in=purposes
        ).values_list("purpose_id", "version", "language", "digest")
    }
    for row in rows:
        if published[row.purpose_id, row.version, row.language] != row.digest:
            raise NoticeChanged(row.purpose_id, row.version, row.language)
