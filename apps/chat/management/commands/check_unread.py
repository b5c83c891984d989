"""Compare unread counts with a recount: `manage.py check_unread nordlicht --most 5000`; exits with 1 on a drift."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.selectors.organizations import names_of_all
from apps.chat.services.checking import check_read_state
from apps.core import tenancy


class Command(BaseCommand):
    """The relay does the same for some members every hour; here all can be asked for at once."""

    help = "Recount unread messages and mentions and report where the counts people see differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("organization", nargs="?", help="short name of one organization; all without")
        parser.add_argument("--most", type=int, default=5000, help="memberships compared in each")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Check and report."""
        wanted = options["organization"]
        chosen = {pk: slug for pk, slug in names_of_all().items() if wanted in (None, slug)}
        if not chosen:
            raise CommandError(f"no organization {wanted}")
        has_drifted = False
        for organization_id, slug in chosen.items():
            with tenancy.use(organization_id):
                checked = check_read_state(organization_id=organization_id, most=options["most"])
            said = (
                ", ".join(f"{kind} {number}" for kind, number in sorted(checked.wrong.items())) or "no drift"
            )
            self.stdout.write(f"{slug}: {checked.memberships} memberships, {said}")
            has_drifted |= bool(checked.wrong)
        if has_drifted:
            raise CommandError("counts and rows differ")
