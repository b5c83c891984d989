"""Mail people after the commit; one that cannot leave is logged and stops nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

logger = logging.getLogger(__name__)


def mail_after_commit(
    template: str, *, to: Iterable[str], language: str, context: dict[str, Any], failed: str, **about: str
) -> None:
    """Render now, send after the commit, to each address by itself: nobody learns the others'.

    Args:
        template: the pair `account/email/<template>_subject.txt` and `_message.txt`.
        failed: what the log says when a mail cannot leave, with `about`.
    """
    addresses = list(to)
    with translation.override(language):
        subject = " ".join(render_to_string(f"account/email/{template}_subject.txt", context).split())
        body = render_to_string(f"account/email/{template}_message.txt", context)

    def deliver() -> None:
        for address in addresses:
            try:
                send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [address])
            except OSError:  # SMTP's errors are of this kind
                logger.exception(failed, extra=about)

    transaction.on_commit(deliver)
