from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from butler.actions.tick import tick
from butler.models import Due
from channels import deliveries


class Command(BaseCommand):
    help = "Do all of the butler's work that is due, without Celery or Redis."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what is due only")

    def handle(self, *, dry_run: bool, **_: Any) -> None:
        now = timezone.now()
        if dry_run:
            waiting = Due.objects.filter(done_at__isnull=True, due_at__lte=now).count()
            self.stdout.write(f"{waiting} due")
            return
        done = tick(now=now)
        sent = deliveries.deliver_all(clock=timezone.now)
        self.stdout.write(
            f"{done.done} done, {done.failed} failed; "
            f"{sent.accepted} messages handed over, {sent.failed} not"
        )
