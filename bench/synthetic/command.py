import sys
import time
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from bench.synthetic import generate
from bench.synthetic.generate import Plan
from bench.synthetic.people import Chunk

# The lock prevents two runs at the same time, which would write the same chunks.
_LOCK = 0x6275746C
_BAR_WIDTH = 30
# Seconds between two lines of progress if the output is not a terminal.
_LINE_INTERVAL = 5.0


class Command(BaseCommand):
    help = (
        "Fill the tables with invented customers and their events, by COPY. The same numbers"
        " and seed always invent the same; what is there already is left alone, so a run that"
        " was stopped is taken up by giving the same command again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--customers", type=_count, default=100_000, help="number (default: %(default)s)"
        )
        parser.add_argument("--events", type=_count, help="number (default: 10 for each customer)")
        parser.add_argument("--seed", type=int, default=1, help="seed of the random customers")
        parser.add_argument("--dry-run", action="store_true", help="only print the numbers of rows")

    def handle(self, *args: Any, **options: Any) -> None:
        customers = options["customers"]
        plan = Plan(customers, options["events"] or customers * 10, options["seed"])
        if plan.events < plan.customers:
            raise CommandError("Every customer has at least one event: --events is too small.")
        try:
            self._run(plan, is_dry_run=options["dry_run"])
        except DatabaseError as error:
            raise CommandError(f"The database: {error}".strip()) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What is written is whole; the same command goes on from here.",
                returncode=130,
            ) from None

    def _run(self, plan: Plan, *, is_dry_run: bool) -> None:
        missing = generate.missing_chunks(plan)
        events = sum(chunk.events for chunk in missing)
        self.stdout.write(
            f"{plan.customers:,} customers with {plan.events:,} events, seed {plan.seed}:"
            f" {events:,} events to write, about {events * generate.BYTES_PER_EVENT / 1e9:.1f} GB"
        )
        if is_dry_run or not missing:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            if cursor.fetchone() != (True,):
                raise CommandError("Somebody else is generating into this database.")
            try:
                self._write(missing, events)
                generate.analyze()
            finally:
                # Release the lock before the connection returns to the pool.
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])

    def _write(self, missing: list[Chunk], events: int) -> None:
        started, written, printed_at = time.monotonic(), 0, 0.0
        is_terminal = self.stdout.isatty()
        for chunk in generate.write(missing, generate.sources()):
            written += chunk.events
            now = time.monotonic()
            if is_terminal or written == events or now - printed_at > _LINE_INTERVAL:
                printed_at = now
                self._print_progress(written, events, now - started, is_terminal=is_terminal)
        if is_terminal:
            self.stdout.write("")

    def _print_progress(
        self, written: int, events: int, seconds: float, *, is_terminal: bool
    ) -> None:
        speed = written / max(seconds, 0.001)
        text = f"{written:,} of {events:,} events, {speed:,.0f}/s, {(events - written) / speed:.0f} s left"
        if is_terminal:
            filled = _BAR_WIDTH * written // events
            self.stdout.write(f"\r{'█' * filled}{'░' * (_BAR_WIDTH - filled)} {text} ", ending="")
        else:
            self.stdout.write(text)
        sys.stdout.flush()


def _count(text: str) -> int:
    number = text.replace("_", "").replace(",", "")
    if not (number.isascii() and number.isdigit() and 0 < int(number) <= 10**10):
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to 10,000,000,000")
    return int(number)
