import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers.actions.sources import rotate_key
from customers.models import Source


class Command(BaseCommand):
    help = "Add a new key to a source. The older keys of the same class expire after --hours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the source")
        parser.add_argument("--secret", action="store_true", help="rotate the secret key")
        parser.add_argument(
            "--hours",
            type=float,
            default=24.0,
            help="hours until the older keys expire (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(name=options["name"]).first()
        if source is None:
            raise CommandError(f"There is no source {options['name']!r}.")
        if options["hours"] < 0:
            raise CommandError("--hours must not be negative.")
        key = rotate_key(
            source=source,
            is_secret=options["secret"],
            grace=timedelta(hours=options["hours"]),
            now=timezone.now(),
        )
        self.stdout.write(json.dumps({"id": source.pk, "name": source.name, "key": key}))
