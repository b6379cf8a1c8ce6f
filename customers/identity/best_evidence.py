"""Finds the strongest evidence of identifiers that were stored without it."""

from collections.abc import Iterable

from customers import sql
from customers.events.internal_sources import sender_of_source
from customers.identity.evidence import statement_evidence
from customers.models import Identifier, Source
from customers.types import OPENED


def restore_best_evidence(ids: Iterable[int]) -> int:
    """Store the strongest evidence of these identifiers where it is missing; return their number.

    An identifier that no stored event or link names stays without it.
    """
    rows = sql.rows("read_naming_sources", {"ids": sorted(ids)})
    if not rows:
        return 0
    sources = Source.objects.select_related("space").in_bulk({source for _, source, _ in rows})
    best: dict[int, int] = {}
    for id_, source_id, link_evidence in rows:
        evidence = link_evidence or statement_evidence(
            sender_of_source(sources[source_id], is_trusted=True)
        )
        best[id_] = max(evidence, best.get(id_, 0))
    proved = Identifier.objects.filter(pk__in=best, proved_at__isnull=False)
    for id_ in proved.values_list("id", flat=True):
        best[id_] = max(best[id_], OPENED)
    Identifier.objects.bulk_update(
        [Identifier(pk=id_, best_evidence=evidence) for id_, evidence in sorted(best.items())],
        ["best_evidence"],
    )
    return len(best)
