"""python -m deploy.local run | with-services [--temporary] -- COMMAND… | doctor"""

import argparse
import sys

from deploy.local.errors import SetupError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local")
    commands = parser.add_subparsers(dest="verb", required=True)
    commands.add_parser("run", help="start all services and processes")
    commands.add_parser("doctor", help="find problems on this machine and print how to fix them")
    with_services_parser = commands.add_parser(
        "with-services", help="run a command with its own services"
    )
    with_services_parser.add_argument(
        "--temporary", action="store_true", help="use a temporary home"
    )
    with_services_parser.add_argument("command", nargs="+", metavar="COMMAND")
    options = parser.parse_args(arguments)
    try:
        return _dispatch(options)
    except SetupError as error:
        print(
            error if str(error).startswith("butler: ") else f"butler: {error}",
            file=sys.stderr,
        )
        return 1


def _dispatch(options: argparse.Namespace) -> int:
    # Imported late: each verb says what it lacks in its own words.
    if options.verb == "run":
        from deploy.local.run import run

        return run()
    if options.verb == "with-services":
        from deploy.local.with_services import with_services

        return with_services(options.command, temporary=options.temporary)
    from deploy.local.doctor import doctor

    return doctor()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
