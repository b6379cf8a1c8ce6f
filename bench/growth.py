"""What the same work costs in a hundred times as much: the two sizes take turns."""

from collections.abc import Callable

from bench import ingest, reads
from bench.arena import Arena, Butler
from bench.bodies import BATCH
from bench.figures import Figure, middle

type Work = Callable[[Butler, int, str, int], float]


def figures(arena: Arena) -> list[Figure]:
    small, large = (arena.size.small_events, arena.size.events)
    return [
        _grown(arena, f"{name}: cost at {large:,} events, against {small:,}", work, per)
        for name, work, per in (
            ("batch ingest", ingest.rate, BATCH),
            ("record read", reads.rate, 1),
        )
    ]


def _grown(arena: Arena, name: str, work: Work, per: int) -> Figure:
    size = arena.size
    first = size.first_singles if per == 1 else size.first_batches
    sides = {"small": arena.small, "large": arena.large}
    counts = {}
    for side, butler in sides.items():
        rate = work(butler, first, f"first {name}", size.connections)
        counts[side] = max(int(rate * size.seconds / per), size.connections)
    ratios = []
    for number in range(size.rounds):
        rates = {
            side: work(butler, counts[side], f"{name} {number}", size.connections)
            for side, butler in sides.items()
        }
        ratios.append(rates["small"] / rates["large"])
    value = middle(ratios)
    return Figure(name, value, "times", aim="≤ 1.2", met=value <= 1.2)
