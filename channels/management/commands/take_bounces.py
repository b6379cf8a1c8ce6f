import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from butler.actions import delivery_reports
from channels.email import bounces
from channels.email.mime import own_domain
from customers import db

# Bytes. A report contains at most the mail that it is about.
MAX_MAIL_SIZE = 10 * 1024 * 1024
# The exit code after which a mail server tries again later (sysexits.h, EX_TEMPFAIL).
EX_TEMPFAIL = 75


class Command(BaseCommand):
    help = "Read returned mail: delivery reports and complaints. Other mail is ignored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="*", default=["-"], help="files with one mail each; - is stdin"
        )
        parser.add_argument(
            "--recipient", default="", help="the recipient according to the mail server"
        )

    def handle(self, *, file: list[str], recipient: str, **_: Any) -> None:
        """Store the reports; if the database is down, raise CommandError with exit code 75."""
        for name in file:
            reports = bounces.parse_reports(
                _read(name),
                bounce_address=settings.BOUNCE_ADDRESS,
                domain=own_domain(),
                recipient=recipient,
                now=timezone.now(),
            )
            try:
                delivery_reports.store_reports(
                    provider="smtp", channel="email", reports=reports, now=timezone.now()
                )
            except db.CONNECTION_ERRORS as error:
                raise CommandError(
                    "The database is unavailable. Try again later.", returncode=EX_TEMPFAIL
                ) from error
            kinds = ", ".join(report.kind for report in reports)
            self.stdout.write(f"{name}: {kinds or 'no report of ours'}")


def _read(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_MAIL_SIZE)
        with Path(name).open("rb") as file:
            return file.read(MAX_MAIL_SIZE)
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}.") from error
