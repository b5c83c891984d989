"""Import a Slack export: `manage.py import_slack nordlicht export.zip --as olga@nordlicht.example [--confirm]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.selectors.organizations import names_of_all
from apps.accounts.selectors.people import ids_by_address
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.types import Principal
from apps.chat.selectors.importing import ImportView, get_import
from apps.chat.services.slack import imports
from apps.core import tenancy
from apps.core.errors import DomainError
from apps.files.services.uploads import Author, store_stream


class Command(BaseCommand):
    """The file may be larger than an upload; the work is that of the console, done by the workers."""

    help = "Look through a Slack export and say what an import would do; with --confirm, store it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("organization", help="short name of the organization")
        parser.add_argument("archive", help="the export's ZIP file, or the id of an import that waits")
        parser.add_argument(
            "--as", dest="address", required=True, help="e-mail of the owner or administrator who imports"
        )
        parser.add_argument("--confirm", action="store_true", help="store an import that was looked through")
        parser.add_argument("--fetch-files", action="store_true", help="fetch files that are only linked")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Start what was asked for and say what is known of it."""
        slug = options["organization"]
        organization_id = next((pk for pk, name in names_of_all().items() if name == slug), None)
        if organization_id is None:
            raise CommandError("no such organization")
        with tenancy.use(organization_id):
            try:
                self._do(organization_id, **options)
            except DomainError as error:
                raise CommandError(f"{error.detail} ({error.code})") from error

    def _do(self, organization_id: UUID, *, archive: str, address: str, **options: Any) -> None:
        user_id = ids_by_address([address.lower()]).get(address.lower())
        if user_id is None:
            raise CommandError("nobody of this organization has that address")
        principal = principal_of_member(organization_id=organization_id, user_id=user_id)
        import_id = _id_of(archive) or _begin(principal, Path(archive))
        if options["confirm"]:
            imports.confirm(principal=principal, import_id=import_id, fetches_files=options["fetch_files"])
        self._say(get_import(principal, import_id))

    def _say(self, view: ImportView) -> None:
        self.stdout.write(f"import {view.id}: {view.state.label}")
        if view.error_code:
            self.stdout.write(view.error_code)
        for name, part in (("report", view.report), ("result", view.result)):
            if part:
                self.stdout.write(f"{name}\n{json.dumps(part, indent=2)}")


def _id_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _begin(principal: Principal, path: Path) -> UUID:
    try:
        with path.open("rb") as source:
            stored = store_stream(
                uploader=Author(principal.organization_id, principal.id),
                name=path.name,
                size_bytes=path.stat().st_size,
                source=source,
            )
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    return imports.start_check(principal=principal, file_id=stored.id)
