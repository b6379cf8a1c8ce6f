from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers.actions import staff_sign_in
from examples.themepark import keys, places


class Command(BaseCommand):
    help = "Print the current code of the authenticator app of a staff member of the park."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="such as sam, or sam@larkmoor.example")

    def handle(self, *, who: str, **_: Any) -> None:
        name = who.partition("@")[0].lower()
        secret = places.read(settings.BUTLER_HOME / keys.FILE).get("factors", {}).get(name)
        if secret is None:
            raise CommandError(
                f"The park has no staff member {name}. Use one of {', '.join(keys.STAFF)}."
            )
        self.stdout.write(staff_sign_in.totp(secret, timezone.now()))
