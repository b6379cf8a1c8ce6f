"""python -m examples.themepark.story [--base http://localhost:8000] [--live http://localhost:8001]

Needs a running system with the park in it (`make run`). Ends with 1 when anything that was
acknowledged is missing in any channel, or was not there on the first look.
"""

import argparse
import statistics
import sys

import httpx2

from examples.themepark import places
from examples.themepark.story.ears import Ear
from examples.themepark.story.first import First
from examples.themepark.story.plot import Act, Park, Sighting, Stop, Story, sightings
from examples.themepark.story.reader import Reader


def main() -> int:
    web, live = places.addresses()
    parser = argparse.ArgumentParser(prog="python -m examples.themepark.story")
    parser.add_argument("--base", default=web, help="where the API is")
    parser.add_argument("--live", default=live, help="where the streams are")
    chosen = parser.parse_args()
    keys = places.read(places.home() / places.KEYS).get("keys")
    if not keys:
        print(f"No keys in {places.home() / places.KEYS}: start `make run`, which loads the park.")
        return 1
    try:
        return _tell(Park(chosen.base, chosen.live, keys))
    except Stop as stop:
        print(f"The story stops here: {stop}", file=sys.stderr)
    except httpx2.TransportError as error:
        print(f"Nobody answers at {chosen.base}: {error}. Is `make run` up?", file=sys.stderr)
    return 1


def _tell(park: Park) -> int:
    story = Story(park)
    customer = story.find_noor()
    token = {"X-Session-Token": park.sign_in()}
    ears = [
        Ear("Noor's app", f"{park.live}/live/me", token),
        Ear("Sam's screen", f"{park.live}/live/customers/{customer}", park.bearer("call desk")),
    ]
    for ear in ears:
        ear.start()
        ear.is_open.wait(5)
        if ear.problem:
            raise Stop(f"{ear.name} has no stream: {ear.problem}")
    print(f"Noor is record {customer}. Milliseconds count from each acknowledgement.\n")
    seen: list[Sighting] = []
    noor = Reader("Noor, another process", park.web, "/api/me/", token)
    desk_page = f"/api/customers/{customer}/"
    desk = Reader("the desk, another process", park.web, desk_page, park.bearer("call desk"))
    with noor, desk:
        for play in story.acts():
            act = play()
            found = sightings(act, ears, [noor, desk])
            _show(act, found)
            seen += found
    return max(_end(seen), _first(park, customer, token))


def _first(park: Park, customer: str, token: dict[str, str]) -> int:
    """Tell the second part; a line that is not right is marked."""
    print("\nAnd then the butler acts first.\n")
    wrong = 0
    for line in First(park, customer, token).tell():
        print(f"    {'     ' if line.is_right else 'WRONG'}  {line.text}", flush=True)
        wrong += not line.is_right
    print(f"\n{'Everything' if not wrong else f'All but {wrong}'} as it should be.")
    return 1 if wrong else 0


def _show(act: Act, found: list[Sighting]) -> None:
    print(f"{act.title}\n    acknowledged after {act.took * 1000:.1f} ms")
    for sighting in found:
        print(f"    {sighting.where:<32}{_words(sighting)}")
    print(flush=True)


def _words(sighting: Sighting) -> str:
    if sighting.after is None:
        return "MISSING"
    late = f"  STALE: {sighting.stale} looks without it" if sighting.stale else ""
    # A stream often shows a change before the one who made it has read the answer.
    before = "  (before the answer was read)" if sighting.after < 0 else ""
    return f"{sighting.after * 1000:8.1f} ms{before}{late}"


def _end(seen: list[Sighting]) -> int:
    wrong = [sighting for sighting in seen if sighting.after is None or sighting.stale]
    for where in dict.fromkeys(sighting.where for sighting in seen):
        times = [s.after * 1000 for s in seen if s.where == where and s.after is not None]
        if times:
            middle = statistics.median(times)
            print(f"{where:<36}median {middle:6.1f} ms, at most {max(times):6.1f} ms")
    print(f"\n{len(seen) - len(wrong)} of {len(seen)} sightings, each on the first look.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
