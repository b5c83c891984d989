"""`manage.py rotate_keys [--check]`: bring every stored secret under the newest encryption key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.ops.selectors.encryption_keys import list_keys
from apps.ops.services.key_rotation import start_rotation


class Command(BaseCommand):
    help = "Start a run in every organization; with --check only tell what each key still holds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="Fail while a key other than the newest one is still needed."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["check"]:
            self.stdout.write(f"{start_rotation(principal=None)} runs started; see them with --check.")
            return
        keys = list_keys()
        for key in keys:
            role = "current" if key.is_current else "can be retired" if key.can_retire else "still needed"
            self.stdout.write(f"{key.id}\t{key.secrets}\t{role if key.is_known else 'MISSING'}")
        if any(key.secrets for key in keys if not key.is_current):
            raise CommandError("Some secrets still need another key than the newest one.")
