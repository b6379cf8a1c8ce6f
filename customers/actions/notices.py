"""Publishes purposes, the exact notices shown for them, and topics."""

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
    """A purpose to ask customers for."""

    key: str
    kind: Literal["contact", "use"]
    texts: Named
    dpv: str = ""
    # data_categories, processing, recipients, storage, retention: what its entries say.
    details: dict[str, Any] = {}
    position: int = 0
    is_offered: bool = True


class NoticeText(_Publication, frozen=True):
    """The text that is shown when a purpose is asked for, by language."""

    purpose: str
    version: int
    texts: dict[str, str]


class TopicText(_Publication, frozen=True):
    """A topic of messages."""

    key: str
    texts: Named
    position: int = 0


class NoticeChanged(Exception):
    """A published notice has another text now; it needs a version of its own."""

    def __init__(self, purpose: str, version: int, language: str) -> None:
        super().__init__(f"the notice of {purpose}, version {version}, {language}")


def digest(text: str) -> str:
    """Return the digest of a text, by which a consent names it."""
    return sha256(text.encode()).hexdigest()


@transaction.atomic
def publish(
    *,
    purposes: Sequence[PurposeText] = (),
    notices: Sequence[NoticeText] = (),
    topics: Sequence[TopicText] = (),
    now: datetime,
) -> int:
    """Publish these, or nothing; return how many notices are new. Again, it changes nothing.

    Raises NoticeChanged where another text was published under the same version.
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
        # Sorted, so that two machines that start at once cannot lock crosswise.
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
