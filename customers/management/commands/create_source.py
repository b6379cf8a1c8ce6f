import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from customers.access import keys
from customers.actions.sources import create_source


class Command(BaseCommand):
    help = "Create a source and print its key as one line of JSON. The key is never shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the source")
        parser.add_argument("--channel", required=True, help="app, site, phone, store, …")
        parser.add_argument("--secret", action="store_true", help="make a secret key, for servers")
        parser.add_argument(
            "--shared", action="store_true", help="many people use it: a kiosk, a till, a desk"
        )
        parser.add_argument(
            "--region", default="", help="country of phone numbers without code, such as NL"
        )
        parser.add_argument(
            "--scopes",
            default=",".join(keys.SCOPES),
            help="scopes of a secret key, separated by commas (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        if unknown := set(scopes) - set(keys.SCOPES):
            raise CommandError(f"Unknown scope: {', '.join(sorted(unknown))}.")
        try:
            source, key = create_source(
                name=options["name"],
                channel=options["channel"],
                is_secret=options["secret"],
                scopes=scopes,
                is_shared=options["shared"],
                region=options["region"],
            )
        except IntegrityError as error:
            raise CommandError(
                f"The source {options['name']!r} already exists. rotate_key adds a new key."
            ) from error
        self.stdout.write(json.dumps({"id": source.pk, "name": source.name, "key": key}))
