"""python -m bench: measure everything, print it, and write bench/results.json."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import arena, growth, ingest, load, reads, size, streams
from bench.arena import Arena
from bench.figures import Figure, table

RESULTS = Path(__file__).parent / "results.json"

MEASURES: dict[str, Callable[[Arena], list[Figure]]] = {
    "batches": ingest.batches,
    "singles": ingest.singles,
    "reads": reads.figures,
    "streams": streams.latency,
    "growth": growth.figures,
    "memory": streams.memory,
}


def main(chosen: Sequence[str]) -> int:
    """Run the chosen measurements, or all."""
    if unknown := set(chosen) - MEASURES.keys():
        print(f"There is no {', '.join(sorted(unknown))}; there is {', '.join(MEASURES)}.")
        return 2
    load.raise_file_limit()
    started = time.monotonic()
    figures: list[Figure] = []
    with arena.built(size.chosen()) as built:
        arena.use_in_process(built.large.context.database)
        try:
            for name in chosen or MEASURES:
                print(f"measuring {name} ({time.monotonic() - started:.0f} s)", flush=True)
                figures += MEASURES[name](built)
        finally:
            arena.leave_process()
    print(f"\n{table(figures)}\n")
    busy = os.getloadavg()[1]
    print(f"{os.cpu_count()} cores, load {busy:.1f}, {time.monotonic() - started:.0f} s in all")
    rows = [figure.as_row() for figure in figures]
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except load.Failed as failure:
        sys.exit(f"bench: {failure}")
