import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.actions.identity_secrets import add_identity_secret, end_identity_secrets
from customers.models import Source


class Command(BaseCommand):
    help = (
        "Add a secret with which the server of a source signs identity tokens, and print it as one"
        " line of JSON. It is never shown again. The previous secret stays valid until --end-older."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the source")
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--end-older", action="store_true", help="accept only the newest secret from now on"
        )
        how.add_argument(
            "--end-all", action="store_true", help="accept no identity token of this source"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(name=options["name"]).first()
        if source is None:
            raise CommandError(f"There is no source {options['name']!r}.")
        if options["end_older"] or options["end_all"]:
            ended = end_identity_secrets(source_id=source.pk, newest_too=options["end_all"])
            self.stdout.write(f"ended {ended}")
            return
        secret = add_identity_secret(source_id=source.pk)
        self.stdout.write(json.dumps({"id": source.pk, "name": source.name, "secret": secret}))
