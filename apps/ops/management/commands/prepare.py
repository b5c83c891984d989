"""`manage.py prepare [--demo]`: everything before the start; the last line is JSON for the supervisor."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.ops.services import preparing


class Command(BaseCommand):
    help = "Migrate, grant, make partitions, collect static files; with --demo fill an empty database."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="Create the demo organizations on an empty database."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        prepared = preparing.prepare(with_demo=options["demo"])
        self.stdout.write(
            json.dumps({"sign_in_url": prepared.sign_in_url, "missing_walls": prepared.missing_walls})
        )
