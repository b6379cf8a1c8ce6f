"""python -m bench.chaos [--events N] [--rate N] [--rounds N] [--recipients N] [--seed N]"""

import argparse
import os
import signal
import sys
from pathlib import Path

from bench.chaos.run import QUICK, Plan, run


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos")
    full = Plan()
    defaults = QUICK if os.environ.get("QUICK") else full
    parser.add_argument("--events", type=int, default=defaults.events)
    parser.add_argument("--rate", type=float, default=defaults.per_second, help="events a second")
    parser.add_argument(
        "--rounds",
        type=int,
        default=defaults.rounds,
        help="number of times that each fault is injected",
    )
    parser.add_argument("--readers", type=int, default=defaults.readers)
    parser.add_argument(
        "--recipients", type=int, default=defaults.recipients, help="customers who receive messages"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--keep", type=Path, help="folder to copy the request log and the logs to")
    options = parser.parse_args(arguments)
    # On SIGTERM, the started system has to be stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(
        events=options.events,
        per_second=options.rate,
        rounds=options.rounds,
        readers=options.readers,
        recipients=options.recipients,
        seed=options.seed,
    )
    return 1 if run(plan, keep=options.keep).findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
