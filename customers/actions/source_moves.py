"""Groups the customers of a moved source again, a batch at a time, and stores the progress."""

from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import F, Max, Q

from customers.identity import rebuilding
from customers.models import Identifier, Source, SourceMove

# After an error, the other moves go on, and this one is tried again.
RETRY_DELAY = timedelta(minutes=1)


def start_move(source: Source) -> SourceMove:
    """Let the customers of a source be grouped again, because the source has a new space."""
    return SourceMove.objects.create(source=source, space=source.space)


@transaction.atomic
def group_next_batch(*, now: datetime, batch: int = rebuilding.BATCH_SIZE) -> bool:
    """Group the next numbers of an unfinished move again; return whether there was one.

    If a batch fails, nothing of it is stored. The move keeps the name of the error, and waits for
    a minute.
    """
    move = (
        SourceMove.objects.select_for_update(skip_locked=True)
        .filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now), finished_at__isnull=True)
        .order_by(F("retry_at").asc(nulls_first=True), "id")
        .first()
    )
    if move is None:
        return False
    try:
        with transaction.atomic():
            _group(move, now, batch)
        move.retry_at, move.failure = None, ""
    except Exception as error:  # noqa: BLE001  one move must not hold up the others
        move.refresh_from_db()
        move.retry_at, move.failure = now + RETRY_DELAY, type(error).__name__
    move.save()
    return True


def _group(move: SourceMove, now: datetime, batch: int) -> None:
    if move.last_concerned is None:
        move.last_concerned = Identifier.objects.aggregate(last=Max("id", default=0))["last"]
    last_concerned = move.last_concerned or 0
    batches = rebuilding.number_batches([move.source_id], after=move.last_grouped, batch=batch)
    numbers = next(islice(batches, 1), {})
    concerned = {id_: record for id_, record in numbers.items() if id_ <= last_concerned}
    if concerned:
        rebuilt = rebuilding.rebuild_identities(concerned, now=now)
        move.last_grouped = max(concerned)
        move.grouped_numbers += len(concerned)
        move.split_records += len(rebuilt.split)
        move.joined_records += len(rebuilt.joined)
    if len(concerned) < batch:
        move.finished_at = now
