import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DataError, IntegrityError, transaction

from customers.access import keys
from customers.actions.sources import (
    SpaceConflict,
    create_source,
    find_or_create_space,
    sources_sharing_numbers,
)
from customers.events.internal_sources import sender_of_source
from customers.management.source_notes import describe_addresses, describe_numbers
from customers.models import Source, Space
from customers.types import DESK_CHANNELS, MAIN_SPACE, SOURCE_CHANNELS

_CHANNELS = ", ".join(sorted(SOURCE_CHANNELS))


class Command(BaseCommand):
    help = "Create a source and print its key as one line of JSON. The key is never shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the source")
        parser.add_argument("--channel", required=True, help=f"one of {_CHANNELS}")
        parser.add_argument("--secret", action="store_true", help="make a secret key, for servers")
        parser.add_argument(
            "--shared", action="store_true", help="many people use it: a kiosk, a till, a desk"
        )
        parser.add_argument(
            "--region", default="", help="country of phone numbers without code, such as NL"
        )
        parser.add_argument(
            "--scopes",
            default=",".join(keys.SCOPES),
            help="scopes of a secret key, separated by commas (default: %(default)s)",
        )
        self._add_identity_arguments(parser)

    def _add_identity_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--ids",
            default=MAIN_SPACE,
            metavar="SPACE",
            help="space of its numbers of customers. Sources of one space share their numbers; "
            "a new name makes a new space (default: %(default)s)",
        )
        parser.add_argument(
            "--ids-per-person",
            choices=Space.IdsPerPerson.values,
            default="",
            help="several: the numbers are of contracts or passes (default of a new space: one)",
        )
        parser.add_argument(
            "--addresses",
            choices=[value for value in Source.Addresses.values if value],
            default="",
            help="checked: it verifies e-mail addresses. stated: an import of your own customers. "
            "unchecked: nobody can rely on its addresses (default: by its channel)",
        )
        parser.add_argument(
            "--order-numbers",
            choices=[value for value in Source.OrderNumbers.values if value],
            default="",
            help="yearly: its order numbers start again each year, so Butler adds the year",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        _check_channel(options["channel"])
        _check_addresses(options)
        scopes = _scopes(options["scopes"])
        source, key = _create(options, scopes)
        others = sources_sharing_numbers(source)
        self.stdout.write(
            json.dumps(
                {
                    "id": source.pk,
                    "name": source.name,
                    "key": key,
                    "shares_numbers_with": others,
                },
                ensure_ascii=False,
            )
        )
        is_trusted = options["secret"] and "identify" in scopes
        self.stderr.write(describe_numbers(source.name, source.space.name, others), str)
        sender = sender_of_source(source, is_trusted=is_trusted)
        self.stderr.write(describe_addresses(sender), str)


def _scopes(text: str) -> list[str]:
    scopes = [scope.strip() for scope in text.split(",") if scope.strip()]
    if unknown := set(scopes) - {*keys.SCOPES, keys.READ_FOR}:
        raise CommandError(f"Unknown scope: {', '.join(sorted(unknown))}.")
    return scopes


def _check_channel(channel: str) -> None:
    """Raise CommandError for a channel that no rule knows, such as a misspelled one."""
    if channel not in SOURCE_CHANNELS:
        raise CommandError(f"Unknown channel: {channel}. The channels are {_CHANNELS}.")


def _check_addresses(options: dict[str, Any]) -> None:
    """Raise CommandError for an option that would have no effect."""
    channel = options["channel"]
    is_desk = options["shared"] or channel in DESK_CHANNELS
    if options["addresses"] == "stated" and is_desk and channel != "import":
        raise CommandError(
            f"--addresses stated has no effect on a shared source or the channel {channel!r}. "
            "Only imports of your own customers use it."
        )


def _create(options: dict[str, Any], scopes: list[str]) -> tuple[Source, str]:
    """Create the source and its space, or neither. Raises CommandError."""
    space_name = options["ids"].strip()
    if not space_name:
        raise CommandError("--ids needs the name of a space.")
    try:
        with transaction.atomic():
            return create_source(
                name=options["name"],
                channel=options["channel"],
                is_secret=options["secret"],
                scopes=scopes,
                is_shared=options["shared"],
                region=options["region"],
                space=find_or_create_space(space_name, options["ids_per_person"]),
                addresses=options["addresses"],
                order_numbers=options["order_numbers"],
            )
    except SpaceConflict as error:
        raise CommandError(str(error)) from error
    except IntegrityError as error:
        raise CommandError(
            f"The source {options['name']!r} already exists. rotate_key adds a new key."
        ) from error
    except DataError as error:
        raise CommandError("The name, the channel, the region or the space is too long.") from error
