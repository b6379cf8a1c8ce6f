"""python -m examples.themepark.story [--base http://localhost:8000] [--live http://localhost:8001]

The story needs a running system with the park (`make run`). The exit code is 1 if an acknowledged
change is missing in a channel, or if a first read did not show it.
"""

import argparse
import statistics
import sys

import httpx2

from examples.themepark import places
from examples.themepark.story.order_story import Observation, OrderStory, Step, observe
from examples.themepark.story.park import Park, StoryError
from examples.themepark.story.proactive_messages import ProactiveStory
from examples.themepark.story.reader import Reader
from examples.themepark.story.stream_listener import StreamListener


def main() -> int:
    web, live = places.addresses()
    parser = argparse.ArgumentParser(prog="python -m examples.themepark.story")
    parser.add_argument("--base", default=web, help="the URL of the API")
    parser.add_argument("--live", default=live, help="the URL of the streams")
    options = parser.parse_args()
    keys = places.read(places.home() / places.KEYS).get("keys")
    if not keys:
        print(f"No keys in {places.home() / places.KEYS}: start `make run`, which loads the park.")
        return 1
    try:
        return _run(Park(options.base, options.live, keys))
    except StoryError as error:
        print(f"The story stops here: {error}", file=sys.stderr)
    except httpx2.TransportError as error:
        print(f"No answer from {options.base}: {error}. Start `make run`.", file=sys.stderr)
    return 1


def _run(park: Park) -> int:
    story = OrderStory(park)
    customer = story.find_noor()
    token = {"X-Session-Token": park.sign_in()}
    listeners = [
        StreamListener("Noor's app", f"{park.live}/live/me", token),
        StreamListener(
            "Sam's screen", f"{park.live}/live/customers/{customer}", park.bearer("call desk")
        ),
    ]
    for listener in listeners:
        listener.start()
        listener.is_open.wait(5)
        if listener.problem:
            raise StoryError(f"{listener.name} has no stream: {listener.problem}")
    print(f"Noor is record {customer}. Milliseconds count from each acknowledgement.\n")
    observations: list[Observation] = []
    noor = Reader("Noor, another process", park.web, "/api/me/", token)
    desk_page = f"/api/customers/{customer}/"
    desk = Reader("the desk, another process", park.web, desk_page, park.bearer("call desk"))
    with noor, desk:
        for run_step in story.steps():
            step = run_step()
            step_observations = observe(step, listeners, [noor, desk])
            _print_step(step, step_observations)
            observations += step_observations
    return max(_print_summary(observations), _run_proactive_story(park, customer, token))


def _run_proactive_story(park: Park, customer: str, token: dict[str, str]) -> int:
    """Play the second part, and mark each failed check. Returns the exit code."""
    print("\nAnd then the butler acts first.\n")
    failures = 0
    for check in ProactiveStory(park, customer, token).run():
        print(f"    {'     ' if check.is_correct else 'WRONG'}  {check.text}", flush=True)
        failures += not check.is_correct
    print(f"\n{'Everything' if not failures else f'All but {failures}'} as it should be.")
    return 1 if failures else 0


def _print_step(step: Step, observations: list[Observation]) -> None:
    print(f"{step.title}\n    acknowledged after {step.seconds * 1000:.1f} ms")
    for observation in observations:
        print(f"    {observation.place:<32}{_describe(observation)}")
    print(flush=True)


def _describe(observation: Observation) -> str:
    if observation.after is None:
        return "MISSING"
    stale_note = f"  STALE: {observation.stale} reads without it" if observation.stale else ""
    # A stream often shows a change before its sender has read the response.
    early_note = "  (before the response was read)" if observation.after < 0 else ""
    return f"{observation.after * 1000:8.1f} ms{early_note}{stale_note}"


def _print_summary(observations: list[Observation]) -> int:
    failed = [
        observation
        for observation in observations
        if observation.after is None or observation.stale
    ]
    for place in dict.fromkeys(observation.place for observation in observations):
        times = [
            observation.after * 1000
            for observation in observations
            if observation.place == place and observation.after is not None
        ]
        if times:
            middle = statistics.median(times)
            print(f"{place:<36}median {middle:6.1f} ms, at most {max(times):6.1f} ms")
    total = len(observations)
    print(f"\n{total - len(failed)} of {total} sightings, each at the first read.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
