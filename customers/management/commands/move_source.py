import json
import sys
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from customers.actions.sources import (
    SpaceConflict,
    find_or_create_space,
    move_source,
    sources_sharing_numbers,
)
from customers.identity import rebuilding
from customers.management.identity_totals import IdentityTotals
from customers.management.source_notes import describe_numbers
from customers.models import Source, Space
from customers.types import BUTLER_SOURCE_ID


class Command(BaseCommand):
    help = "Move sources, with their numbers of customers, into another space."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", metavar="NAME", nargs="+", help="name of a source")
        parser.add_argument(
            "--ids", required=True, metavar="SPACE", help="the space; a new name makes a new space"
        )
        parser.add_argument(
            "--ids-per-person",
            choices=Space.IdsPerPerson.values,
            default="",
            help="several: the numbers are of contracts or passes (default of a new space: one)",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="only print with whom it would share numbers, and which records it would split or join",
        )
        parser.add_argument(
            "--after", type=int, default=0, help="resume after the identifier with this id"
        )
        parser.add_argument(
            "--batch",
            type=int,
            default=rebuilding.BATCH_SIZE,
            help="numbers per transaction (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        space_name = options["ids"].strip()
        if not space_name or len(space_name) > 100:
            raise CommandError("--ids needs the name of a space, of at most 100 characters.")
        with transaction.atomic():
            sources = [_locked_source(name) for name in options["names"]]
            for source in sources:
                self._move(source, space_name, options)
            if options["dry_run"]:
                # A dry run makes the same changes and takes them back.
                self._regroup(sources, options)
                transaction.set_rollback(True)
        if not options["dry_run"]:
            self._regroup(sources, options)

    def _regroup(self, sources: Iterable[Source], options: dict[str, Any]) -> None:
        """Group the customers of the sources again, a batch of their numbers at a time."""
        totals = IdentityTotals()
        for numbers in rebuilding.number_batches(
            [source.pk for source in sources], after=options["after"], batch=options["batch"]
        ):
            rebuilt = rebuilding.rebuild_identities(
                numbers, now=timezone.now(), is_dry_run=options["dry_run"]
            )
            for line in totals.add(rebuilt):
                self.stderr.write(line, str)
            if sys.stderr.isatty():
                self.stderr.write(f"at identifier {max(numbers)}: {totals}", str, ending="\r")
        self.stderr.write(f"{totals}", str)

    def _move(self, source: Source, space_name: str, options: dict[str, Any]) -> None:
        old_space = source.space
        try:
            space = find_or_create_space(space_name, options["ids_per_person"])
        except SpaceConflict as error:
            raise CommandError(str(error)) from error
        if space != old_space:
            move_source(source=source, space=space, now=timezone.now())
        others = sources_sharing_numbers(source)
        self.stdout.write(
            json.dumps(
                {
                    "id": source.pk,
                    "name": source.name,
                    "from": old_space.name,
                    "to": space.name,
                    "shares_numbers_with": others,
                    "is_dry_run": options["dry_run"],
                },
                ensure_ascii=False,
            )
        )
        self.stderr.write(describe_numbers(source.name, space.name, others), str)


def _locked_source(name: str) -> Source:
    # The lock lets events of the source in: they only need its id.
    source = (
        Source.objects.select_for_update(of=("self",), no_key=True)
        .select_related("space")
        .filter(name=name)
        .exclude(pk=BUTLER_SOURCE_ID)
        .first()
    )
    if source is None:
        raise CommandError(f"There is no source {name!r}.")
    return source
