"""Runs a POST that is sent twice once, and answers the second with the first response."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from customers.models import IdempotencyKey


class StoredResponse(NamedTuple):
    """A response that can be stored and sent again."""

    status: int
    body: bytes


class IdempotentResult(NamedTuple):
    """The response, or why there is none: the key came with another body, or is in use now."""

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
    """Run the effect unless this key has been used; store its response in one transaction.

    What the effect raises undoes everything, and nothing is stored: the caller may try again.
    """
    request_hash = UUID(bytes=blake2b(request, digest_size=16).digest())
    with transaction.atomic():
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


def delete_old(*, now: datetime, retention: timedelta) -> int:
    """Delete the responses that are older than the retention; return how many."""
    count, _ = IdempotencyKey.objects.filter(created_at__lt=now - retention).delete()
    return count


def _lock(name: str) -> bool:
    """Lock this name until the transaction ends; tell whether it was free."""
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
