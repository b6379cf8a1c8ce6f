"""Sources with their keys' last use and their warnings, for the console."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, Max, OuterRef, Prefetch, Q, QuerySet

from customers.models import Source, SourceKey, SourceMove, SourceWarning
from customers.types import IngestWarning, merge_warnings

WARNING_DAYS = 7
LIMIT = 500
MOVES_LIMIT = 50


class SourceSummary(NamedTuple):
    """A source, when one of its keys was used last, and its warnings with the newest example."""

    source: Source
    last_used_at: datetime | None
    warnings: Sequence[IngestWarning]


def connected_sources() -> QuerySet[Source]:
    """Return the sources of other systems: those with keys or webhook secrets."""
    has_key = Exists(SourceKey.objects.filter(source=OuterRef("pk")))
    return Source.objects.filter(has_key | ~Q(webhook_secrets=[]))


def source_summaries(today: date) -> list[SourceSummary]:
    """Return the first 500 connected sources by name, with the warnings of the last seven days."""
    since = today - timedelta(days=WARNING_DAYS - 1)
    recent = SourceWarning.objects.filter(day__gte=since).order_by("code", "-day")
    sources = (
        connected_sources()
        .select_related("space")
        .prefetch_related(Prefetch("warnings", recent, to_attr="recent_warnings"))
        .annotate(last_used_at=Max("keys__last_used_at"))
        .order_by("name")[:LIMIT]
    )
    return [
        SourceSummary(source, source.last_used_at, _summarize(source.recent_warnings))
        for source in sources
    ]


def recent_moves(now: datetime) -> list[SourceMove]:
    """Return the moves whose customers are not all grouped again, and those of the last week."""
    is_recent = Q(finished_at__gte=now - timedelta(days=WARNING_DAYS))
    moves = SourceMove.objects.filter(is_recent | Q(finished_at__isnull=True))
    return list(moves.select_related("source", "space").order_by("-id")[:MOVES_LIMIT])


def _summarize(warnings: Sequence[SourceWarning]) -> list[IngestWarning]:
    """Return one warning for each code. The warnings have the newest day of a code first."""
    return merge_warnings(
        IngestWarning(warning.code, warning.count, warning.example) for warning in warnings
    )
