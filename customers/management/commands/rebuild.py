import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers import rebuild
from customers.identity import rebuilding
from customers.management.identity_totals import IdentityTotals
from customers.models import Customer, Identifier
from customers.projections.registry import SkippedEvent
from customers.rebuild import Difference

# The number of records in one transaction.
_RECORDS = 500


class Command(BaseCommand):
    help = (
        "Rebuild records from their logs, or only compare them with their logs (--check). With "
        "--identities, compute again which identifiers are one customer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", "--dry-run", action="store_true", help="only compare; change no rows"
        )
        parser.add_argument(
            "--identities",
            action="store_true",
            help="restore missing links from the events, and group all identifiers by the current rules. "
            "With --dry-run, only print which records it would split or join, and why",
        )
        parser.add_argument("--customer", type=UUID, help="id of the only record to process")
        parser.add_argument(
            "--after",
            help="resume after the record, or with --identities the identifier, with this id",
        )
        parser.add_argument(
            "--batch",
            type=int,
            help=f"records or identifiers per transaction (default: {_RECORDS} records, "
            f"{rebuilding.BATCH_SIZE} identifiers)",
        )

    def handle(self, *, identities: bool, check: bool, **options: Any) -> None:
        if identities:
            self._rebuild_identities(options["after"], options["batch"], is_dry_run=check)
        else:
            self._rebuild_records(options, is_check=check)

    def _rebuild_records(self, options: dict[str, Any], *, is_check: bool) -> None:
        """Process the records in batches. Exit with code 1 if --check finds differences."""
        total = Customer.objects.live().count()
        records = wrong = skipped = 0
        identities = IdentityTotals()
        process = rebuild.report_differences if is_check else rebuild.rebuild_with_report
        for ids in _record_batches(options):
            differences, left_out = process(ids)
            self._write_report(differences[:20], left_out[:20])
            wrong += len(differences)
            skipped += len(left_out)
            records += len(ids)
            if is_check:
                grouping = rebuilding.check_records(ids, now=timezone.now())
                self._write_lines(identities.add(grouping)[:20])
            self._progress(f"{records} of {total} records, {wrong} differences; at {ids[-1]}")
        self.stdout.write(f"{records} records, {wrong} differences, {skipped} events skipped")
        if not identities.is_clean:
            self.stdout.write(f"differ from the grouping: {identities}")
        if is_check and wrong:
            raise CommandError("Some records differ from their logs.", returncode=1)
        if not identities.is_clean:
            raise CommandError(
                "Some records differ from the grouping of their identifiers. "
                "`manage.py rebuild --identities --dry-run` prints all of them.",
                returncode=1,
            )

    def _rebuild_identities(
        self, after: str | None, batch: int | None, *, is_dry_run: bool
    ) -> None:
        """Group the identifiers in batches. Exit with code 1 if a dry run finds changes."""
        last = Identifier.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        totals, count = IdentityTotals(), 0
        batches = rebuilding.identifier_batches(
            after=_identifier_id(after), batch=batch or rebuilding.BATCH_SIZE
        )
        for identifiers in batches:
            rebuilt = rebuilding.rebuild_identities(
                rebuilding.without_earlier(identifiers), now=timezone.now(), is_dry_run=is_dry_run
            )
            for line in totals.add(rebuilt):
                self.stdout.write(line)
            count += len(identifiers)
            self._progress(f"at identifier {max(identifiers)} of {last}: {totals}")
        self.stdout.write(f"{count} identifiers: {totals}")
        if is_dry_run and not totals.is_clean:
            raise CommandError("Some records would change.", returncode=1)

    def _write_report(
        self, differences: Iterable[Difference], skipped: Iterable[SkippedEvent]
    ) -> None:
        self._write_lines(
            f"{difference.customer_id} {difference.what}: {difference.live} -> {difference.rebuilt}"
            for difference in differences
        )
        self._write_lines(_line(event) for event in skipped)

    def _write_lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stderr.write(line)

    def _progress(self, line: str) -> None:
        if sys.stderr.isatty():
            self.stderr.write(line, ending="\r")


def _record_batches(options: dict[str, Any]) -> Iterable[list[UUID]]:
    if customer := options["customer"]:
        return [[customer]]
    after = options["after"]
    try:
        last = UUID(after) if after else None
    except ValueError as error:
        raise CommandError("--after needs the id of a record.") from error
    return rebuild.live_ids(after=last, batch=options["batch"] or _RECORDS)


def _identifier_id(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isdecimal():
        raise CommandError("--after needs the id of an identifier, which is a number.")
    return int(text)


def _line(event: SkippedEvent) -> str:
    customer_id, about = event.subject
    kind = about.partition(":")[0]
    return f"{customer_id} event {event.version} about its {kind} skipped: {event.fault}"
