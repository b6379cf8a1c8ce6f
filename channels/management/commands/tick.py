import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError
from django.utils import timezone

from butler.actions import heartbeat
from butler.due.tick import tick
from butler.models import Due, Message
from channels import deliveries


class Command(BaseCommand):
    help = "Run all due jobs and send all queued messages, without Celery or Redis."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count the due jobs")
        parser.add_argument(
            "--every", type=float, metavar="SECONDS", help="repeat after this many seconds"
        )

    def handle(self, *, dry_run: bool, every: float | None, **_: Any) -> None:
        """Run once; `every` repeats without end. A repetition only prints a database error."""
        if dry_run:
            self._print_counts(timezone.now())
            return
        self._run_once()
        while every:
            time.sleep(every)
            try:
                self._run_once()
                # A repeating tick does the work of workers, so it also records their heartbeat.
                heartbeat.record_heartbeat(now=timezone.now())
            except OperationalError as error:
                # The due jobs wait in the database until it is available again.
                self.stderr.write(f"database unavailable: {type(error).__name__}")

    def _run_once(self) -> None:
        jobs = tick(now=timezone.now())
        sent = deliveries.deliver_all(clock=timezone.now)
        if any((*jobs, *sent)) or self.stdout.isatty():
            self.stdout.write(
                f"{jobs.succeeded} done, {jobs.failed} failed; "
                f"{sent.accepted} messages handed over, {sent.failed} not"
            )

    def _print_counts(self, now: datetime) -> None:
        due = Due.objects.filter(done_at__isnull=True, due_at__lte=now).count()
        waiting = Message.objects.filter(state="queued", not_before__lte=now).count()
        self.stdout.write(f"{due} due, {waiting} messages wait to leave")
