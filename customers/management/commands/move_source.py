import json
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
from customers.events.log import BUTLER_SOURCE_ID
from customers.management.source_notes import describe_numbers
from customers.models import Source, Space


class Command(BaseCommand):
    help = "Move a source, with its numbers of customers, into another space."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the source")
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
            "--dry-run", action="store_true", help="only print with whom it would share numbers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        space_name = options["ids"].strip()
        if not space_name or len(space_name) > 100:
            raise CommandError("--ids needs the name of a space, of at most 100 characters.")
        with transaction.atomic():
            source = (
                Source.objects.select_for_update(of=("self",))
                .select_related("space")
                .filter(name=options["name"])
                .exclude(pk=BUTLER_SOURCE_ID)
                .first()
            )
            if source is None:
                raise CommandError(f"There is no source {options['name']!r}.")
            self._move(source, space_name, options)
            # A dry run makes the same changes and takes them back.
            transaction.set_rollback(options["dry_run"])

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
