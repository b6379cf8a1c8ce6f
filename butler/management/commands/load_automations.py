from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from butler.actions import automation_versions, automations
from butler.actions.automation_versions import InvalidTransition, Operator
from butler.actions.automations import VersionChange
from butler.automations import loader
from butler.automations.loader import InvalidAutomations
from butler.models import AutomationVersion
from customers.models import User

# The author of the versions if --by is not given.
_LOADER = Operator("load_automations")
_MAY_APPROVE = "butler.change_automationversion"


class Command(BaseCommand):
    help = "Load automations, purposes and topics from a folder of TOML files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--by",
            metavar="EMAIL",
            default="",
            help="e-mail address of the author of the new versions",
        )
        parser.add_argument(
            "--approve-as",
            metavar="EMAIL",
            default="",
            help="e-mail address of the approver of the new versions, who cannot be their author",
        )
        parser.add_argument(
            "--live",
            action="store_true",
            help="make the approved versions live (requires --approve-as)",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="validate the files without writing to the database",
        )

    def handle(
        self, *, by: str, approve_as: str, live: bool, dry_run: bool, **options: Any
    ) -> None:
        """Load the folder and write one line for each automation; with `dry_run`, only validate it.

        Raises CommandError, with one line for each problem if the files are invalid.
        """
        if live and not approve_as:
            raise CommandError("--live requires --approve-as.")
        author = _hand(by) if by else _LOADER
        approver = _hand(approve_as, _MAY_APPROVE) if approve_as else None
        try:
            folder = loader.read_folder(options["folder"])
            if dry_run:
                self._check(folder)
            else:
                self._load(folder, author, approver, is_live=live)
        except InvalidTransition as refused:
            raise CommandError(str(refused)) from None
        except InvalidAutomations as invalid:
            lines = [f"{each.file}: {each.field}: {each.reason}" for each in invalid.problems]
            summary = f"Butler found {len(lines)} problems and loaded no file."
            raise CommandError("\n".join([*lines, summary])) from None

    def _check(self, folder: loader.AutomationFolder) -> None:
        documents = automations.validate(folder.files, folder.purposes, folder.topics)
        self.stdout.write(f"{len(documents)} automations are valid; no row was written")

    def _load(
        self,
        folder: loader.AutomationFolder,
        author: Operator,
        approver: Operator | None,
        *,
        is_live: bool,
    ) -> None:
        loaded = automations.load(
            folder.files,
            folder.purposes,
            folder.topics,
            notices=folder.notices,
            now=timezone.now(),
            by=author,
        )
        for change in loaded.changes:
            status = self._approve_and_activate(change, approver, is_live=is_live)
            self.stdout.write(f"{change.key:<28} v{change.number:<4} {change.kind:<8} {status}")
        self.stdout.write(f"{len(loaded.changes)} automations, {loaded.notices} new notices")

    def _approve_and_activate(
        self, change: VersionChange, approver: Operator | None, *, is_live: bool
    ) -> str:
        """Approve a version and make it live, as the options request; return its status."""
        version = AutomationVersion.objects.get(automation=change.key, number=change.number)
        now = timezone.now()
        if approver and version.status == AutomationVersion.Status.DRAFT:
            version = automation_versions.approve(version, approver, now)
        if approver and is_live and version.status == AutomationVersion.Status.APPROVED:
            version = automation_versions.go_live(version, approver, now)
        return version.status


def _hand(email: str, right: str = "") -> Operator:
    user = User.objects.filter(email__iexact=email, is_staff=True, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active staff member with the address {email}.")
    if right and not user.has_perm(right):
        raise CommandError(f"{email} cannot approve versions without the permission {right}.")
    return Operator(user.name or email, user.pk)
