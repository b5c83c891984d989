"""`manage.py signing_key`: the keys that sign access tokens."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.services import signing_keys


class Command(BaseCommand):
    help = "List the keys that sign access tokens, let a new one sign, or end a leaked one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one of two actions, or none."""
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--rotate", action="store_true", help="let a new key sign from now on")
        action.add_argument("--revoke", metavar="KID", help="believe nothing this key signed, from now on")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Act, then list."""
        if options["rotate"]:
            signing_keys.rotate_key()
        if options["revoke"] and not signing_keys.revoke_key(kid=options["revoke"]):
            raise CommandError(f"no key {options['revoke']!r} is believed")
        for row in signing_keys.believed():
            state = "signs" if row.retired_at is None else "verifies"
            self.stdout.write(f"{row.kid}  {state}  since {row.created_at:%Y-%m-%d %H:%M} UTC")
