import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.actions.webhook_secrets import (
    add_webhook_secret,
    end_older_webhook_secrets,
    new_secret,
)
from customers.models import Source

_LONGEST = 200


class Command(BaseCommand):
    help = (
        "Add a secret with which a source signs its webhooks. The previous secret stays valid until"
        " --end-older. Without --stdin, a new secret is generated and printed as one line of JSON."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the source")
        how = parser.add_mutually_exclusive_group()
        # The secret is not an argument, because arguments stay in the history of the shell and in
        # the list of processes.
        how.add_argument("--stdin", action="store_true", help="read the secret from standard input")
        how.add_argument(
            "--end-older", action="store_true", help="accept only the newest secret from now on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(name=options["name"]).first()
        if source is None:
            raise CommandError(f"There is no source {options['name']!r}.")
        if options["end_older"]:
            self.stdout.write(f"ended {end_older_webhook_secrets(source_id=source.pk)}")
            return
        secret = _read() if options["stdin"] else new_secret()
        add_webhook_secret(source_id=source.pk, secret=secret)
        secret_property = {} if options["stdin"] else {"secret": secret}
        self.stdout.write(json.dumps({"id": source.pk, "name": source.name, **secret_property}))


def _read() -> str:
    secret = sys.stdin.readline().strip()
    if not 16 <= len(secret) <= _LONGEST:
        raise CommandError(f"The secret must have 16 to {_LONGEST} characters.")
    return secret
