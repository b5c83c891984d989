"""`manage.py replay_erasures`: after a restore, before anybody is let in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.security.services.replaying import replay


class Command(BaseCommand):
    help = (
        "Erase again who was erased since the backup that was restored. Run it before web and workers start."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        done, failed = 0, []
        for one in replay():
            done += not one.error_code
            if one.error_code:
                failed.append(f"{one.request_id}: {one.error_code}")
        self.stdout.write(f"erased again: {done}")
        if failed:
            raise CommandError("not erased, see the console: " + ", ".join(failed))
