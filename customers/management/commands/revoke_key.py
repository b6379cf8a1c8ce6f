from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers.access import keys
from customers.actions.sources import revoke_key


class Command(BaseCommand):
    help = "Revoke a key at once, by its text or its first characters."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help=f"the key, or its first {keys.PREFIX_LENGTH} characters")

    def handle(self, *args: Any, **options: Any) -> None:
        if len(options["key"]) < keys.PREFIX_LENGTH:
            raise CommandError(f"Give at least the first {keys.PREFIX_LENGTH} characters.")
        ended = revoke_key(prefix=options["key"], now=timezone.now())
        if not ended:
            raise CommandError("No valid key starts with these characters.")
        self.stdout.write(f"ended {ended}")
