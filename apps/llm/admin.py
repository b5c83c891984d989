"""The ledger and the budgets, to be read: only calls write them."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from apps.llm.models import DailyUsage, Reservation, UsageEntry

Row = TypeVar("Row", bound=Model)


class _Ledger(admin.ModelAdmin[Row]):
    """Nothing can be added, changed or deleted."""

    show_full_result_count = False  # counting the whole ledger would hold the page for seconds

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(UsageEntry)
class UsageEntryAdmin(_Ledger[UsageEntry]):
    """Model calls, newest first."""

    list_display = (
        "created_at", "organization", "purpose", "provider", "model", "tokens_in", "tokens_out",
        "is_estimated", "cost", "outcome",
    )  # fmt: skip
    list_select_related = ("organization",)
    list_filter = ("purpose", "outcome", "is_estimated")
    date_hierarchy = "created_at"
    search_fields = ("=run_id", "=principal_id", "model")
    ordering = ("-id",)


@admin.register(DailyUsage)
class DailyUsageAdmin(_Ledger[DailyUsage]):
    """Tokens by organization and day."""

    list_display = ("day", "organization", "tokens")
    list_select_related = ("organization",)
    date_hierarchy = "day"


@admin.register(Reservation)
class ReservationAdmin(_Ledger[Reservation]):
    """Calls under way, and those whose process died."""

    list_display = ("created_at", "organization", "tokens", "expires_at")
    list_select_related = ("organization",)
