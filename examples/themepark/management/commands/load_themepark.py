"""The command that loads Larkmoor: its sources, its people and a year of events."""

import json
import time
from argparse import ArgumentParser
from collections import Counter
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from customers.models import Source
from examples.themepark import consents, keys, load, people, ride_status
from examples.themepark.messages import Message

AUTOMATIONS = Path(load.__file__).parent / "automations"


class Command(BaseCommand):
    help = "Load the theme park: sources, staff, families and their last year. Idempotent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count the messages")
        parser.add_argument(
            "--summary",
            action="store_true",
            help="print the logins and addresses as a last line of JSON",
        )

    def handle(self, *, dry_run: bool, summary: bool, **_: Any) -> None:
        now = timezone.now()
        if dry_run:
            self._count(load.household_messages(since=now))
            return
        demo_keys = keys.ensure_keys(settings.BUTLER_HOME, now=now)
        self._load(now, is_repeated=not demo_keys.is_fresh)
        passwords = demo_keys.passwords if settings.DEBUG else {}
        factors = demo_keys.factors if settings.DEBUG else {}
        people.create_logins(passwords, factors, is_fresh=demo_keys.is_fresh)
        people.confirm_phone_of_noor(now=now)
        self._start_automations()
        if summary:
            self.stdout.write(json.dumps(people.summary(demo_keys.passwords)))

    def _load(self, now: datetime, *, is_repeated: bool) -> None:
        started = time.monotonic()
        sources = {source.name: source for source in Source.objects.all()}
        # The histories depend on the day of the first load: see load.household_messages.
        households = load.household_messages(since=sources["app"].created_at)
        senders = {name: load.sender(source) for name, source in sources.items()}
        total = sum(map(len, households))
        outcomes: Counter[str] = Counter()
        for batch in load.batches(households):
            receipt = load.load(batch, senders[batch.source], is_repeated=is_repeated, now=now)
            outcomes.update(outcome.status for outcome in receipt.outcomes)
            self._print_progress(batch.messages_before + len(batch.messages), total)
        seconds = time.monotonic() - started
        self.stdout.write(
            f"themepark: {total:,} events of {len(households)} households, "
            f"{outcomes['accepted']:,} new, {outcomes['duplicate']:,} known, in {seconds:.1f} s"
        )
        if rejected := total - outcomes["accepted"] - outcomes["duplicate"]:
            self.stderr.write(f"themepark: {rejected} events were rejected: {dict(outcomes)}")

    def _start_automations(self) -> None:
        """Activate the automations after the load of the past, so that the past starts no runs."""
        ride_status.open_unset_rides(timezone.now())
        call_command(
            "load_automations",
            AUTOMATIONS,
            by=people.email_of("mika"),
            approve_as=people.email_of("lin"),
            live=True,
            stdout=StringIO(),
        )
        since = Source.objects.get(name="app").created_at
        if count := consents.record_consents(since=since, now=timezone.now()):
            self.stdout.write(f"themepark: recorded the consents of {count} households")

    def _print_progress(self, loaded: int, total: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\rthemepark: {loaded:,} of {total:,} events ", ending="")
            if loaded == total:
                self.stdout.write("\r", ending="")

    def _count(self, households: list[list[Message]]) -> None:
        by_source = Counter(message.source for messages in households for message in messages)
        parts = ", ".join(f"{count:,} from the {name}" for name, count in by_source.items())
        self.stdout.write(f"themepark: {len(households)} households: {parts}; no rows written")
