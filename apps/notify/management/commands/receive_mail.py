"""`manage.py receive_mail`: post one mail that somebody answered, from standard input."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.core import origin
from apps.core.errors import DomainError
from apps.notify.services import receiving

# What mail servers understand (sysexits.h): do not try again and tell the sender, or try again later.
REFUSED, LATER = 65, 75
_FOR_GOOD = 500


class Command(BaseCommand):
    """Called by the mail server for each mail to the reply address; says what became of it in one line of JSON."""

    help = "Read one raw mail (RFC 5322) from standard input and post it as the reply it is."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the envelope's recipient."""
        parser.add_argument(
            "--recipient", default="", help="The envelope's recipient, as the mail server knows it."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Post, or end with a status that the mail server understands."""
        raw = sys.stdin.buffer.read()
        try:
            with origin.acting():
                message_id = receiving.receive(raw, recipient=options["recipient"])
        except DomainError as refused:
            self.stderr.write(json.dumps({"code": refused.code, "detail": refused.detail}))
            raise SystemExit(
                LATER if refused.status == 429 or refused.status >= _FOR_GOOD else REFUSED
            ) from refused
        self.stdout.write(json.dumps({"code": "posted", "message": str(message_id)}))
