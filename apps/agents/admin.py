"""Operators switch agents off and see how answers ended, never what they say."""

from __future__ import annotations

from django.contrib import admin

from apps.agents.models import Agent, Answer
from apps.core.admin_base import ReadOnlyAdmin


@admin.register(Agent)
class AgentAdmin(admin.ModelAdmin[Agent]):
    """Name, description, instructions, and the switch."""

    list_display = ("name", "organization", "key", "is_enabled")
    list_select_related = ("organization",)
    list_filter = ("is_enabled",)
    fields = ("organization", "principal", "key", "name", "description", "instructions", "is_enabled")
    readonly_fields = ("organization", "principal", "key")


@admin.register(Answer)
class AnswerAdmin(ReadOnlyAdmin[Answer]):
    """States and outcomes; questions and texts stay with their people."""

    list_display = (
        "id",
        "organization",
        "agent",
        "state",
        "outcome",
        "words_only",
        "created_at",
        "finished_at",
    )
    list_select_related = ("organization", "agent")
    list_filter = ("state", "outcome")
    fields = list_display
    show_full_result_count = False
