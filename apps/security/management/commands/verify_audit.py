"""`manage.py verify_audit`: read every trail and the anchors, and say what is wrong; exit code 1 if anything is."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.selectors.organizations import names_of_all
from apps.core.auditing import sealing
from apps.core.services.audit import PLATFORM
from apps.security.selectors import anchor_files
from apps.security.selectors.verification import compare_with_notes, verify_chain
from apps.security.types import AnchorReport, ChainReport, Finding


class Command(BaseCommand):
    """Believes nothing in the database: seals and hashes are computed from the rows."""

    help = "Verify the audit trails of all organizations, or of one, against their chains and anchors."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--organization", help="slug; without it all, and the installation's own trail")
        parser.add_argument("--anchors", type=Path, help="directory; without it the configured one")

    def handle(self, *_args: Any, **options: Any) -> None:  # Any: Django's signature
        """Verify and print.

        Raises:
            CommandError: with exit code 1, when anything is wrong or asked for what is not there.
        """
        where: Path = options["anchors"] or anchor_files.directory()
        if options["anchors"] and not where.is_dir():
            raise CommandError(f"{where} is no directory")
        anchors = anchor_files.read(where)
        wrong = self._say_anchors(where, anchors)
        for chain, name in _chains(options["organization"], anchors):
            wrong += self._say_chain(name, verify_chain(chain, anchors=anchors))
        if wrong:
            raise CommandError(f"{wrong} things are wrong with the audit trail", returncode=1)
        self.stdout.write(self.style.SUCCESS("The audit trail is whole."))

    def _say_anchors(self, where: Path, anchors: AnchorReport) -> int:
        self.stdout.write(f"anchors in {where}: {len(anchors.anchors)} signed lines")
        self.stdout.write(f"  public key {anchor_files.public_text(sealing.accepted_keys()[0])}")
        return self._say([*anchors.findings, *compare_with_notes(anchors)])

    def _say_chain(self, name: str, report: ChainReport) -> int:
        parts = [
            f"{report.entries} chained", f"{report.waiting} waiting", f"{report.anchors} anchors compared",
            f"anchored up to {report.last_anchor} of {report.head}",
        ]  # fmt: skip
        if report.emptied:
            parts.append(f"{report.emptied} personal values erased")
        self.stdout.write(f"{name}: {', '.join(parts)}")
        if report.more:
            self.stdout.write(f"  and {report.more} more")
        return self._say(report.findings) + report.more

    def _say(self, findings: list[Finding]) -> int:
        for finding in findings:
            self.stdout.write(self.style.ERROR(f"  {finding.problem.value}: {finding.text}"))
        return len(findings)


def _chains(slug: str | None, anchors: AnchorReport) -> list[tuple[UUID, str]]:
    """Return the chains to verify with their names; one that only the anchors know is one that was removed."""
    known = names_of_all()
    if slug is not None:
        named = [(chain, name) for chain, name in known.items() if name == slug]
        if not named:
            raise CommandError(f"there is no organization {slug}")
        return named
    forgotten = {anchor.chain for anchor in anchors.anchors} - set(known) - {PLATFORM}
    return [
        (PLATFORM, "the installation"),
        *known.items(),
        *((chain, str(chain)) for chain in sorted(forgotten)),
    ]
