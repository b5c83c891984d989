"""`manage.py rebuild_index`: cut, stem and store everything again, after a change of how that is done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.errors import OrganizationNotFound
from apps.accounts.selectors.members import get_organization
from apps.core import tenancy
from apps.rag.services.rebuilding import rebuild


class Command(BaseCommand):
    """For operators; twice is harmless, and stopping half-way leaves every chunk old or new."""

    help = "Build the content index of one organization anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--organization", required=True, type=UUID, help="its id")

    def handle(self, *_args: Any, **options: Any) -> None:  # Any: Django's signature
        """Rebuild and say how much it was."""
        try:
            organization = get_organization(options["organization"])
        except OrganizationNotFound as error:
            raise CommandError(f"There is no organization {options['organization']}.") from error
        with tenancy.use(organization.id):
            done = rebuild(organization_id=organization.id, report=self.stderr.write)
        self.stdout.write(f"{done.messages} messages and {done.pages} pages in {done.chunks} chunks")
