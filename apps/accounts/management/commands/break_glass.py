"""Make an emergency account: `manage.py break_glass nordlicht --hours 4 --reason "mail is down"`."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.services.break_glass import LONGEST_HOURS, create_break_glass
from apps.core.errors import DomainError
from apps.core.ids import uuid7


class Command(BaseCommand):
    """The secret goes into a file that only the operator may read, never onto the screen or into a log."""

    help = "Make an emergency account for one organization; its owners are alarmed when it is used."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("organization", help="short name of the organization")
        parser.add_argument("--hours", type=int, default=4, help=f"1 to {LONGEST_HOURS}")
        parser.add_argument("--reason", required=True, help="the owners read it")
        parser.add_argument("--to", type=Path, help="file for the sealed link; must not exist")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Make the account and write its link."""
        target = options["to"] or Path(settings.DATA_DIR) / f"break-glass-{uuid7().hex}.txt"
        descriptor = _reserved(target)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            try:
                link = create_break_glass(
                    slug=options["organization"], hours=options["hours"], reason=options["reason"]
                )
            except (DomainError, ValueError) as error:
                target.unlink()
                raise CommandError(getattr(error, "detail", str(error))) from error
            handle.write(f"{link.url}\nworks once, until {link.expires_at.isoformat()}\n")
        self.stdout.write(f"sealed in {target}\nends {link.expires_at.isoformat()}")


def _reserved(target: Path) -> int:
    """Create the file for its owner only; what exists is never written over."""
    try:
        return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error.strerror}") from error
