import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from customers import rebuild
from customers.models import Customer
from customers.projections.registry import SkippedEvent
from customers.rebuild import Difference


class Command(BaseCommand):
    help = "Rebuild records from their logs, or only compare them with their logs (--check)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", "--dry-run", action="store_true", help="only compare; change no rows"
        )
        parser.add_argument("--customer", type=UUID, help="id of the only record to process")
        parser.add_argument("--after", type=UUID, help="resume after the record with this id")
        parser.add_argument(
            "--batch", type=int, default=500, help="records per transaction (default: %(default)s)"
        )

    def handle(
        self, *, check: bool, customer: UUID | None, after: UUID | None, batch: int, **_: Any
    ) -> None:
        """Process the records in batches. Exit with code 1 if --check finds differences."""
        total = Customer.objects.live().count()
        records = wrong = skipped = 0
        process = rebuild.report_differences if check else rebuild.rebuild_with_report
        batches = iter([[customer]]) if customer else rebuild.live_ids(after=after, batch=batch)
        for ids in batches:
            differences, left_out = process(ids)
            self._write_report(differences[:20], left_out[:20])
            wrong += len(differences)
            skipped += len(left_out)
            records += len(ids)
            self._progress(f"{records} of {total} records, {wrong} differences; at {ids[-1]}")
        self.stdout.write(f"{records} records, {wrong} differences, {skipped} events skipped")
        if check and wrong:
            raise CommandError("Some records differ from their logs.", returncode=1)

    def _write_report(
        self, differences: Iterable[Difference], skipped: Iterable[SkippedEvent]
    ) -> None:
        for difference in differences:
            self.stderr.write(
                f"{difference.customer_id} {difference.what}: {difference.live} -> {difference.rebuilt}"
            )
        for event in skipped:
            self.stderr.write(_line(event))

    def _progress(self, line: str) -> None:
        if sys.stderr.isatty():
            self.stderr.write(line, ending="\r")


def _line(event: SkippedEvent) -> str:
    customer_id, about = event.subject
    kind = about.partition(":")[0]
    return f"{customer_id} event {event.version} about its {kind} skipped: {event.fault}"
