from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from channels.quarantine.replay import replay, unresolved_ids


class Command(BaseCommand):
    help = "Replay items of the quarantine with the current code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "ids", nargs="*", type=int, help="ids of items; without ids, all unresolved items"
        )
        parser.add_argument("--reason", default="", help="only items with this reason")
        parser.add_argument("--source", default="", help="only items of this source")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay the items; print how many got each reason or status."""
        ids = options["ids"] or unresolved_ids(reason=options["reason"], source=options["source"])
        counts: Counter[str] = Counter()
        for item_id in ids:
            outcome = replay(item_id=item_id, now=timezone.now())
            counts["missing" if outcome is None else outcome.reason or outcome.status] += 1
        for label, count in counts.most_common():
            self.stdout.write(f"{count:8} {label}")
        self.stdout.write(f"{counts.total():8} in all")
