"""python -m bench: runs the benchmarks, prints the figures and writes bench/results.json."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import (
    campaign,
    decisions,
    due,
    end_to_end,
    growth,
    holders,
    ingest,
    load,
    messages,
    pages,
    reads,
    size,
    streams,
    testbed,
)
from bench.figures import Figure, table
from bench.testbed import Testbed

RESULTS = Path(__file__).parent / "results.json"

MEASURES: dict[str, Callable[[Testbed], list[Figure]]] = {
    "batches": ingest.batches,
    "singles": ingest.singles,
    "reads": reads.figures,
    "pages": pages.figures,
    "decisions": decisions.figures,
    "due": due.figures,
    "messages": messages.figures,
    "end_to_end": end_to_end.figures,
    "campaign": campaign.figures,
    "streams": streams.latency,
    "growth": growth.figures,
    "holders": holders.figures,
    "memory": streams.memory,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen benchmarks, or all; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "chosen", nargs="*", metavar="measure", help=f"some of {', '.join(MEASURES)}"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if unknown := set(options.chosen) - MEASURES.keys():
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    load.raise_file_limit()
    started = time.monotonic()
    figures: list[Figure] = []
    with testbed.build(size.chosen()) as built:
        testbed.setup_django(built.large.target.database)
        try:
            for name in options.chosen or MEASURES:
                print(f"measuring {name} ({time.monotonic() - started:.0f} s)", flush=True)
                figures += MEASURES[name](built)
        finally:
            testbed.close_pools()
    print(f"\n{table(figures)}\n")
    load_average = os.getloadavg()[1]
    print(
        f"{os.cpu_count()} cores, load {load_average:.1f}, {time.monotonic() - started:.0f} s in all"
    )
    rows = [figure.as_row() for figure in figures]
    options.results.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except load.BenchmarkFailed as failure:
        sys.exit(f"bench: {failure}")
