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

# Who wrote them, where nobody says so.
_LOADER = Operator("load_automations")
_MAY_APPROVE = "butler.change_automationversion"


class Command(BaseCommand):
    help = "Load automations, and the purposes and topics beside them, from a folder of TOML files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--by", metavar="EMAIL", default="", help="the login of who wrote what is new"
        )
        parser.add_argument(
            "--approve-as",
            metavar="EMAIL",
            default="",
            help="the login of who approves what is new: somebody else, who may",
        )
        parser.add_argument(
            "--live", action="store_true", help="take what is approved into use (with --approve-as)"
        )
        parser.add_argument("--dry-run", action="store_true", help="look for faults, write nothing")

    def handle(
        self, *, by: str, approve_as: str, live: bool, dry_run: bool, **options: Any
    ) -> None:
        if live and not approve_as:
            raise CommandError("--live needs --approve-as: somebody answers for it.")
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
            summary = f"{len(lines)} to mend; nothing was loaded."
            raise CommandError("\n".join([*lines, summary])) from None

    def _check(self, folder: loader.AutomationFolder) -> None:
        documents = automations.validate(folder.documents, folder.purposes, folder.topics)
        self.stdout.write(f"{len(documents)} automations without fault; nothing was written")

    def _load(
        self,
        folder: loader.AutomationFolder,
        author: Operator,
        approver: Operator | None,
        *,
        is_live: bool,
    ) -> None:
        loaded = automations.load(
            folder.documents,
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
        """Approve a version and take it into use, as far as was asked for; return where it is."""
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
        raise CommandError(f"Nobody who works here signs in as {email}.")
    if right and not user.has_perm(right):
        raise CommandError(f"{email} may not approve: that takes {right}.")
    return Operator(user.name or email, user.pk)
