"""Forms of documents on pages that everybody may open."""

from __future__ import annotations

from django import forms
from django.utils.translation import pgettext_lazy

from apps.documents.services.content import LONGEST_TITLE


class TitleForm(forms.Form):
    """What a document is called."""

    title = forms.CharField(label=pgettext_lazy("of a document", "Title"), max_length=LONGEST_TITLE)
