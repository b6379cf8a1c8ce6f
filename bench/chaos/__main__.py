"""python -m bench.chaos [--events N] [--rate N] [--rounds N] [--guests N] [--seed N]"""

import argparse
import os
import signal
import sys
from pathlib import Path

from bench.chaos.run import QUICK, Plan, run


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos")
    full = Plan()
    usual = QUICK if os.environ.get("QUICK") else full
    parser.add_argument("--events", type=int, default=usual.events)
    parser.add_argument("--rate", type=float, default=usual.per_second, help="events a second")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="of every fault")
    parser.add_argument("--readers", type=int, default=usual.readers)
    parser.add_argument("--guests", type=int, default=usual.guests, help="who are written to")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--keep", type=Path, help="a folder for the ledger and the log")
    chosen = parser.parse_args(arguments)
    # Told to end, the system that was started has to be ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(
        events=chosen.events,
        per_second=chosen.rate,
        rounds=chosen.rounds,
        readers=chosen.readers,
        guests=chosen.guests,
        seed=chosen.seed,
    )
    return 1 if run(plan, keep=chosen.keep).findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
