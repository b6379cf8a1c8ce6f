"""Measures how the cost of the same work grows in a database of a hundred times the size."""

from collections.abc import Callable

from bench import ingest, reads
from bench.figures import Figure, middle
from bench.testbed import Butler, Testbed
from bench.traffic import BATCH

type Work = Callable[[Butler, int, str, int], float]


def figures(testbed: Testbed) -> list[Figure]:
    """Measure the cost of ingest and reads on the large tables, relative to the small ones."""
    small, large = (testbed.size.small_events, testbed.size.events)
    return [
        _cost_ratio(testbed, f"{name}: cost at {large:,} events, against {small:,}", work, per)
        for name, work, per in (
            ("batch ingest", ingest.rate, BATCH),
            ("record read", reads.rate, 1),
        )
    ]


def _cost_ratio(testbed: Testbed, name: str, measure: Work, events_per_request: int) -> Figure:
    size = testbed.size
    warm_up_count = size.first_singles if events_per_request == 1 else size.first_batches
    sides = {"small": testbed.small, "large": testbed.large}
    counts = {}
    for side, butler in sides.items():
        rate = measure(butler, warm_up_count, f"first {name}", size.connections)
        counts[side] = max(int(rate * size.seconds / events_per_request), size.connections)
    ratios = []
    for number in range(size.rounds):
        rates = {
            side: measure(butler, counts[side], f"{name} {number}", size.connections)
            for side, butler in sides.items()
        }
        ratios.append(rates["small"] / rates["large"])
    value = middle(ratios)
    return Figure(name, value, "times", aim="≤ 1.2", met=value <= 1.2)
