"""What the console pages of documents share."""

from __future__ import annotations

from django.http import HttpRequest

from apps.accounts.types import Principal

DOCUMENTS, SOURCES = "documents", "sources"


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal
