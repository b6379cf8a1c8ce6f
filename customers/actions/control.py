"""What customers say of what we may do: put on the ledger, and in force when this returns."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from uuid_utils.compat import uuid7

from customers import sql
from customers.actions.changes import Author
from customers.actions.notes import NoSuchCustomer
from customers.consent import document as consent_document
from customers.consent import hash_chain
from customers.consent import ledger as consent_ledger
from customers.consent.ledger import Ledger
from customers.consent.state import Entry, Matter, lapsed
from customers.consent.statements import Known, NotUnderstood, Speaker, Word, check, check_asked
from customers.db import retry
from customers.db.retry import RetryTransaction
from customers.events import internal_sources, log
from customers.models import Control, Notice, Purpose, Topic

__all__ = ["Author", "NoSuchCustomer", "NotUnderstood", "Said", "Word", "expire", "say"]

# Nobody is asked again for half a year after a no.
_REASK_AFTER = timedelta(days=183)
_NO = frozenset({"consent.refused", "consent.withdrawn"})
_TICK = timedelta(microseconds=1)


class Said(NamedTuple):
    """Where the words stand: their entries, the live record, and its version after them."""

    entries: tuple[UUID, ...]
    customer_id: UUID
    version: int


def say(*, customer_id: UUID, words: Sequence[Word], author: Author, now: datetime) -> Said:
    """Put a customer's words on the ledger, all or none; they hold from this commit on.

    Raises NoSuchCustomer, and NotUnderstood where one of the words cannot be taken.
    """
    speaker = Speaker(author.sender.is_trusted, author.sender.channel, author.actor)
    house = _House(words)
    for word in words:
        check(word, speaker, house.known)

    def put() -> Said:
        live = _lock(customer_id)
        ledger = consent_ledger.read([live])[live]
        moment = _just_now(ledger, now)
        dated = [_dated(word, moment, now) for word in words]
        if speaker.actor:
            state = ledger.state()
            for word in dated:
                check_asked(word, speaker, state)
        heard = [_Heard(word, ledger.members) for word in dated]
        return _Chain(live, ledger, house, speaker, now).add(heard)

    return retry.on_conflict(put)


def expire(*, now: datetime, most: int = 200) -> int:
    """Put on the ledger which consents ran out; return how many customers this concerned."""
    overdue = Control.objects.filter(expires_at__lte=now).order_by("expires_at")
    ids = list(overdue.values_list("customer_id", flat=True)[:most])
    # In the order of ids, as every other writer locks.
    for customer_id in sorted(ids):
        retry.on_conflict(partial(_expire, customer_id, now))
    return len(ids)


def _expire(customer_id: UUID, now: datetime) -> None:
    live = _lock(customer_id)
    ledger = consent_ledger.read([live])[live]
    speaker = Speaker(is_trusted=True, channel=internal_sources.BUTLER.channel, actor="butler")
    heard = [
        # Only for those records whose consent it was: another one's goes on.
        _Heard(Word(kind="consent.expired", subject=purpose, occurred_at=end), tuple(records))
        for (purpose, end), records in lapsed(ledger.entries, ledger.members, now).items()
    ]
    if heard:
        _Chain(live, ledger, _House([one.word for one in heard]), speaker, now).add(heard)


class _Heard(NamedTuple):
    """A word with its moment, and the records that it speaks for."""

    word: Word
    speaks_for: tuple[UUID, ...]


class _House:
    """What the company asks for and has published, as far as some words are about it."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.company = consent_document.Company(
            settings.BUTLER_COMPANY,
            settings.BUTLER_COUNTRY,
            f"{settings.BUTLER_SITE_URL.rstrip('/')}/preferences/",
        )
        purposes = list(Purpose.objects.values_list("key", "kind", "dpv", "details"))
        self.about = {
            key: consent_document.About(dpv, details) for key, _, dpv, details in purposes
        }
        digests = {word.notice for word in words if word.notice}
        found = Notice.objects.filter(digest__in=digests) if digests else ()
        self.notices = {
            (notice.purpose_id, notice.digest): consent_document.Shown(
                notice.version, notice.language, notice.digest
            )
            for notice in found
        }
        self.known = Known(
            purposes={key: kind for key, kind, _, _ in purposes},
            topics=frozenset(Topic.objects.values_list("key", flat=True)),
            notices=frozenset(self.notices),
        )


class _Chain:
    """The chain of a live record whose lock is held, and the next entries on it."""

    def __init__(
        self, live: UUID, ledger: Ledger, house: _House, speaker: Speaker, now: datetime
    ) -> None:
        self.live = live
        self.ledger = ledger
        self.house = house
        self.speaker = speaker
        self.now = now
        self.on = _newest_on(ledger.entries)

    def add(self, heard: Sequence[_Heard]) -> Said:
        end = sql.rows("read_chain_end", {"id": self.live})
        seq, previous = end[0] if end else (0, hash_chain.START)
        rows, added, events = [], [], []
        for number, one in enumerate(heard, seq + 1):
            entry = self._entry(one, number)
            text = hash_chain.canonical(entry.document)
            digest = hash_chain.link(previous, text)
            rows.append(_row(entry, self.now, text, previous, digest))
            added.append(entry)
            events.append(_event(entry))
            previous = digest
        versions = log.append_internal_events(events, actor=self.speaker.actor, now=self.now)
        for row, version in zip(rows, versions, strict=True):
            row["version"] = version
        sql.run("add_entries", {"rows": sql.json(rows)})
        grown = Ledger(self.ledger.members, (*self.ledger.entries, *added))
        consent_ledger.keep({self.live: grown})
        return Said(tuple(UUID(entry.id) for entry in added), self.live, versions[-1])

    def _entry(self, heard: _Heard, seq: int) -> Entry:
        word = heard.word
        assert word.occurred_at is not None
        matter = Matter(word.kind.partition(".")[0], word.subject, word.channel, word.topic)
        entry_id = uuid7()
        place = consent_document.Place(
            entry_id,
            self.live,
            seq,
            heard.speaks_for,
            word.occurred_at,
            self.now,
            self.on.get(matter, ""),
        )
        self.on[matter] = str(entry_id)
        document = consent_document.document(
            word,
            self.speaker,
            place,
            self.house.company,
            self.house.about.get(word.subject, consent_document.About()),
            self.house.notices.get((word.subject, word.notice)),
        )
        return Entry(
            self.live, seq, heard.speaks_for, word.kind, word.subject, word.occurred_at, document
        )


def _lock(customer_id: UUID) -> UUID:
    found = sql.rows("lock_live", {"id": customer_id})
    if not found:
        raise NoSuchCustomer
    [(live, was_joined)] = found
    if was_joined:
        raise RetryTransaction
    return UUID(str(live))


def _just_now(ledger: Ledger, now: datetime) -> datetime:
    """Return the moment of what is said just now: after everything heard before.

    Clocks of two machines differ; a withdrawal must not come to lie before the consent that
    it withdraws.
    """
    latest = max((entry.occurred_at for entry in ledger.entries), default=None)
    return max(now, latest + _TICK) if latest else now


def _dated(word: Word, moment: datetime, now: datetime) -> Word:
    reask = word.reask_not_before
    if reask is None and word.kind in _NO:
        reask = now + _REASK_AFTER
    at = min(word.occurred_at, moment) if word.occurred_at else moment
    return msgspec.structs.replace(word, occurred_at=at, reask_not_before=reask)


def _newest_on(found: Iterable[Entry]) -> dict[Matter, str]:
    return {entry.matter: entry.id for entry in sorted(found, key=lambda entry: entry.order)}


def _row(
    entry: Entry, now: datetime, text: bytes, previous: bytes, digest: bytes
) -> dict[str, Any]:
    return {
        "record_id": entry.record,
        "seq": entry.seq,
        "entry_id": entry.id,
        "speaks_for": sorted(entry.speaks_for),
        "kind": entry.kind,
        "subject": entry.subject,
        "occurred_at": entry.occurred_at,
        "recorded_at": now,
        "document": text.decode(),
        "previous": previous.hex(),
        "digest": digest.hex(),
    }


def _event(entry: Entry) -> log.InternalEvent:
    return log.InternalEvent(
        entry.record,
        "control",
        consent_document.event_name(entry.kind),
        consent_document.properties(entry.document),
        entry.occurred_at,
    )
