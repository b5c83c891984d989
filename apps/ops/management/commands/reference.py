"""`manage.py reference`: write the reference pages that come from the code."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.ops import reference


class Command(BaseCommand):
    help = "Write docs/reference from the settings groups and the event classes."

    def handle(self, *_args: Any, **_options: Any) -> None:
        reference.write(settings.BASE_DIR / "docs" / "reference")
