"""Runs a repeated POST only once, and answers the repetition with the first response."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal, NamedTuple
from uuid import UUID

from django.db import connection

from customers.db import retry
from customers.models import IdempotencyKey


class StoredResponse(NamedTuple):
    """A response that can be stored and sent again."""

    status: int
    body: bytes


class IdempotentResult(NamedTuple):
    """The response, or the reason for none: the key came with other content, or is in use."""

    state: Literal["done", "repeated", "other_content", "in_progress"]
    response: StoredResponse | None = None


def run_once(
    *,
    principal: str,
    key: str,
    request: bytes,
    now: datetime,
    retention: timedelta,
    effect: Callable[[], StoredResponse],
) -> IdempotentResult:
    """Run the effect if this key is new, and store its response in the same transaction.

    The effect changes the database alone, because it is repeated after a conflict.

    An error of the effect undoes the transaction and stores no response. The caller may try again.
    """
    request_hash = UUID(bytes=blake2b(request, digest_size=16).digest())

    def attempt() -> IdempotentResult:
        """Make one attempt."""
        if not _lock(f"{principal} {key}"):
            return IdempotentResult("in_progress")
        stored = IdempotencyKey.objects.filter(principal=principal, key=key).first()
        if stored and stored.created_at > now - retention:
            return _repeated(stored, request_hash)
        if stored:
            stored.delete()
        response = effect()
        IdempotencyKey.objects.create(
            principal=principal,
            key=key,
            request_hash=request_hash,
            status=response.status,
            body=response.body,
            created_at=now,
        )
        return IdempotentResult("done", response)

    return retry.on_conflict(attempt)


def delete_old(*, now: datetime, retention: timedelta) -> int:
    """Delete the responses that are older than the retention; return their number."""
    count, _ = IdempotencyKey.objects.filter(created_at__lt=now - retention).delete()
    return count


def _lock(name: str) -> bool:
    """Lock this name until the transaction ends; return false if another transaction holds it."""
    number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _repeated(stored: IdempotencyKey, request_hash: UUID) -> IdempotentResult:
    if stored.request_hash != request_hash:
        return IdempotentResult("other_content")
    assert stored.status is not None
    assert stored.body is not None
    return IdempotentResult("repeated", StoredResponse(stored.status, bytes(stored.body)))
