"""A POST sent twice has one effect, and the second one gets the first one's answer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from customers.models import IdempotencyKey


class Answer(NamedTuple):
    """What a caller is told."""

    status: int
    body: bytes


class Once(NamedTuple):
    """The answer, or why there is none: another body came with the key, or is being done."""

    outcome: Literal["done", "repeated", "other_content", "in_progress"]
    answer: Answer | None = None


def once(
    *,
    principal: str,
    key: str,
    request: bytes,
    now: datetime,
    keep: timedelta,
    effect: Callable[[], Answer],
) -> Once:
    """Do the effect unless this key has been used, and keep its answer in one transaction.

    What the effect raises undoes everything and is kept nowhere: the caller may try again.
    """
    wanted = UUID(bytes=blake2b(request, digest_size=16).digest())
    with transaction.atomic():
        if not _lock(f"{principal} {key}"):
            return Once("in_progress")
        kept = IdempotencyKey.objects.filter(principal=principal, key=key).first()
        if kept and kept.created_at > now - keep:
            return _again(kept, wanted)
        if kept:
            kept.delete()
        answer = effect()
        IdempotencyKey.objects.create(
            principal=principal,
            key=key,
            request_hash=wanted,
            status=answer.status,
            body=answer.body,
            created_at=now,
        )
        return Once("done", answer)


def forget_old(*, now: datetime, keep: timedelta) -> int:
    """Drop the answers that are older than promised; return how many."""
    count, _ = IdempotencyKey.objects.filter(created_at__lt=now - keep).delete()
    return count


def _lock(name: str) -> bool:
    """Hold this name until the transaction ends; do not wait for somebody who holds it."""
    number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _again(kept: IdempotencyKey, wanted: UUID) -> Once:
    if kept.request_hash != wanted:
        return Once("other_content")
    assert kept.status is not None
    assert kept.body is not None
    return Once("repeated", Answer(kept.status, bytes(kept.body)))
