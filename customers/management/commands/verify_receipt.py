from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers.consent import receipts
from customers.consent.signing import NoReceiptKey, signer

# Exit codes of the command.
FORGED = 1
CANNOT_TELL = 2


class Command(BaseCommand):
    help = (
        "Check whether a receipt or an export of a ledger is genuine. The command needs no "
        "database and no network. Exit code 0: genuine; 1: not genuine; 2: cannot be checked."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a receipt, or an export")
        parser.add_argument(
            "--keys",
            type=Path,
            help="file with public keys, from /.well-known/butler-receipt-keys.json; the default "
            "is the key that signs the receipts of this installation",
        )

    def handle(self, *, file: Path, keys: Path | None, **_: Any) -> None:
        try:
            document = receipts.read_file(file.read_bytes())
            public_keys = receipts.read_keys(keys.read_bytes()) if keys else _own_public_key()
            report = receipts.verify(document, public_keys)
        except (receipts.UnreadableReceipt, OSError) as error:
            raise CommandError(f"{file}: cannot tell: {error}", returncode=CANNOT_TELL) from None
        except NoReceiptKey:
            raise CommandError(
                "Give --keys, because this installation has no key to sign receipts.",
                returncode=CANNOT_TELL,
            ) from None
        self._print_report(file, report)

    def _print_report(self, file: Path, report: receipts.VerificationReport) -> None:
        if report.faults:
            for fault in report.faults[:20]:
                self.stderr.write(fault)
            more = f" and {len(report.faults) - 20} more" if len(report.faults) > 20 else ""
            raise CommandError(f"{file}: not genuine{more}.", returncode=FORGED)
        if report.unknown_keys:
            names = ", ".join(report.unknown_keys)
            raise CommandError(
                f"{file}: cannot tell: signed with the unknown key {names}.",
                returncode=CANNOT_TELL,
            )
        count = f"{report.receipts} receipt{'s' * (report.receipts != 1)}"
        sealed = f", {report.sealed} sealed" if report.sealed else ""
        self.stdout.write(f"{file}: genuine ({count}{sealed})")


def _own_public_key() -> dict[str, bytes]:
    own = signer()
    return {own.key_id: own.public}
