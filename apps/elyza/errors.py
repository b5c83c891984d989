"""Refusals of the local provider."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Unavailable


class EncoderUnavailable(Unavailable):
    """No vectors can be made now; a job tries again later, a search goes on with words only."""

    code = "elyza.encoder_unavailable"
    message = _("The language model is not ready. Search works with words only until it is.")
