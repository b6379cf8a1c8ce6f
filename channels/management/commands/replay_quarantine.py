from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from channels.quarantine.replay import replay, unresolved_ids


class Command(BaseCommand):
    help = "Try to take in what is in quarantine, by the reader as it is today."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, help="all of it where none is given")
        parser.add_argument("--reason", default="", help="only what is there for this reason")
        parser.add_argument("--source", default="", help="only what this source sent")

    def handle(self, *args: Any, **options: Any) -> None:
        ids = options["ids"] or unresolved_ids(reason=options["reason"], source=options["source"])
        counts: Counter[str] = Counter()
        for item_id in ids:
            outcome = replay(item_id=item_id, now=timezone.now())
            counts["missing" if outcome is None else outcome.reason or outcome.status] += 1
        for label, count in counts.most_common():
            self.stdout.write(f"{count:8} {label}")
        self.stdout.write(f"{counts.total():8} in all")
