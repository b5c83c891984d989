"""`manage.py check_recall`: compare the index of vectors with the exact search, with recent searches."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.errors import OrganizationNotFound
from apps.accounts.selectors.members import get_organization
from apps.core import tenancy
from apps.rag.services.recall import check_recall


class Command(BaseCommand):
    """For operators; what was measured stands on the console's page, too."""

    help = "Measure recall@10 of the approximate search of one organization now."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--organization", required=True, type=UUID, help="its id")

    def handle(self, *_args: Any, **options: Any) -> None:  # Any: Django's signature
        """Measure and say it."""
        try:
            organization = get_organization(options["organization"])
        except OrganizationNotFound as error:
            raise CommandError(f"There is no organization {options['organization']}.") from error
        with tenancy.use(organization.id):
            done = check_recall(organization_id=organization.id)
        if done.recall is None:
            self.stdout.write("no search of the last 7 days could be compared")
            return
        self.stdout.write(
            f"recall@10 {done.recall:.4f}, lowest {done.worst:.4f}, of {done.queries} queries, "
            f"{done.through_index} through the index"
        )
