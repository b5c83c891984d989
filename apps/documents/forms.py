"""Forms of documents on pages that everybody may open."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from apps.documents.services.content import LONGEST_TITLE


class TitleForm(forms.Form):
    """What a document is called."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=LONGEST_TITLE)
