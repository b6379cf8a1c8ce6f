"""python -m deploy.local run | with-services [--temporary] -- COMMAND… | doctor"""

import argparse
import sys

from deploy.local.refusal import Refusal


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="start everything")
    verbs.add_parser("doctor", help="say what is wrong and how to mend it")
    wrapped = verbs.add_parser("with-services", help="run a command with its own services")
    wrapped.add_argument("--temporary", action="store_true", help="ignore BUTLER_HOME")
    wrapped.add_argument("command", nargs="+", metavar="COMMAND")
    chosen = parser.parse_args(arguments)
    try:
        return _dispatch(chosen)
    except Refusal as refusal:
        print(
            refusal if str(refusal).startswith("butler: ") else f"butler: {refusal}",
            file=sys.stderr,
        )
        return 1


def _dispatch(chosen: argparse.Namespace) -> int:
    # Imported late: each verb says what it lacks in its own words.
    if chosen.verb == "run":
        from deploy.local.run import run

        return run()
    if chosen.verb == "with-services":
        from deploy.local.with_services import with_services

        return with_services(chosen.command, temporary=chosen.temporary)
    from deploy.local.doctor import doctor

    return doctor()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
