import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers.actions.sources import rotate_key
from customers.models import Source


class Command(BaseCommand):
    help = "Give a source a new key; the older ones of that sort go on for a while."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--secret", action="store_true")
        parser.add_argument("--hours", type=float, default=24.0, help="how long: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(name=options["name"]).first()
        if source is None:
            raise CommandError(f"There is no source {options['name']!r}.")
        if options["hours"] < 0:
            raise CommandError("--hours cannot be less than nothing.")
        key = rotate_key(
            source=source,
            is_secret=options["secret"],
            grace=timedelta(hours=options["hours"]),
            now=timezone.now(),
        )
        self.stdout.write(json.dumps({"id": source.pk, "name": source.name, "key": key}))
