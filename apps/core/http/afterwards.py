"""Work that waits until the answer is on its way: whoever asked does not wait for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpResponseBase

from apps.core import tenancy

logger = logging.getLogger(__name__)


def after_answer(response: HttpResponseBase, work: Callable[[], object]) -> None:
    """Do something once the answer is sent, in the request's thread and for its organization.

    For what may be missing: a process that ends in between has not done it, and a failure is logged.
    """
    organization_id = tenancy.current()

    def do() -> None:
        try:
            with tenancy.use(organization_id):
                work()
        except Exception:
            logger.exception("answer.afterwards_failed", extra={"organization": str(organization_id)})

    # Called by `close()`, which Django and every server call when the answer is sent.
    closers: list[Callable[[], None]] = response._resource_closers  # type: ignore[attr-defined]  # noqa: SLF001 - Django's place for it
    closers.append(do)
