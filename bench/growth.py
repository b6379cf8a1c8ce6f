"""What the same work costs in a hundred times as much: the two sizes take turns."""

from collections.abc import Callable

from bench import ingest, reads
from bench.arena import Arena, Butler
from bench.figures import Figure, middle

type Work = Callable[[Butler, int, str], float]


def figures(arena: Arena) -> list[Figure]:
    small, large = (arena.size.small_events, arena.size.events)
    return [
        _grown(arena, f"{name}: cost at {large:,} events, against {small:,}", work, per)
        for name, work, per in (
            ("batch ingest", ingest.rate, ingest.BATCH),
            ("record read", reads.rate, 1),
        )
    ]


def _grown(arena: Arena, name: str, work: Work, per: int) -> Figure:
    sides = {"small": arena.small, "large": arena.large}
    counts = {
        side: max(int(work(butler, 2000 // per, f"first {name}") * arena.size.seconds / per), 8)
        for side, butler in sides.items()
    }
    ratios = []
    for number in range(arena.size.rounds):
        rates = {
            side: work(butler, counts[side], f"{name} {number}") for side, butler in sides.items()
        }
        ratios.append(rates["small"] / rates["large"])
    value = middle(ratios)
    return Figure(name, value, "times", aim="≤ 1.2", met=value <= 1.2)
