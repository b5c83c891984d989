"""The mechanisms for operators: dead letters to settle, flags to switch, consumers and events to look at."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core.admin_site import ReadOnlyAdmin, operator_id
from apps.core.errors import NotFound
from apps.core.models import Consumer, DeadLetter, Event, FeatureFlag
from apps.core.services import dead_letters, flags


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin[DeadLetter]):
    """Events a consumer gave up on. What was in them is not shown: a message is nobody's business here."""

    list_display = ("id", "consumer", "event_type", "position", "attempts", "state", "created_at")
    list_filter = ("state", "consumer", "event_type")
    ordering = ("-created_at",)
    fields = (
        "consumer", "event_type", "position", "organization_id", "attempts", "state", "created_at", "settled_at",
        "reason",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("replay", "dismiss")

    @admin.display(description=_("reason"))
    def reason(self, letter: DeadLetter) -> str:
        """Show the error."""
        return format_html("<pre>{}</pre>", letter.error)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Whoever may change dead letters may settle them; rows are changed by actions only."""
        return request.user.has_perm("core.change_deadletter")

    @admin.action(description=_("Try again"), permissions=["settle"])
    def replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        """Give each to its consumer once more."""
        done = 0
        for letter_id in _open_ids(letters):
            outcome = dead_letters.replay(dead_letter_id=letter_id, actor_id=operator_id(request))
            done += not outcome.error
            if outcome.error:
                messages.error(request, f"{letter_id}: {outcome.error}")
        self._report(request, done)

    @admin.action(description=_("Dismiss: the effect is not wanted any more"), permissions=["settle"])
    def dismiss(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        """Close each."""
        done = 0
        for letter_id in _open_ids(letters):
            try:
                dead_letters.dismiss(dead_letter_id=letter_id, actor_id=operator_id(request))
            except NotFound:
                continue  # another operator was here first
            done += 1
        self._report(request, done)

    def _report(self, request: HttpRequest, done: int) -> None:
        text = ngettext("%(count)s dead letter settled.", "%(count)s dead letters settled.", done)
        messages.success(request, text % {"count": done})


def _open_ids(letters: QuerySet[DeadLetter]) -> Iterable[int]:
    return list(letters.filter(state=DeadLetter.State.OPEN).order_by("position").values_list("pk", flat=True))


@admin.register(Consumer)
class ConsumerAdmin(ReadOnlyAdmin[Consumer]):
    """Cursors of the durable consumers."""

    list_display = ("name", "position", "attempts", "retry_at", "updated_at")
    fields = ("name", "position", "attempts", "retry_at", "updated_at", "last_error")
    readonly_fields = fields


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    """The event log without what was said: type, stream, actor and time."""

    list_display = ("id", "type", "stream_id", "sequence", "actor_id", "created_at")
    list_filter = ("type",)
    search_fields = ("=stream_id", "=actor_id", "=trace_id")
    ordering = ("-id",)
    fields = (
        "type", "organization_id", "scope_id", "stream_id", "sequence", "actor_id", "trace_id", "created_at",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(FeatureFlag)
class FeatureFlagAdmin(admin.ModelAdmin[FeatureFlag]):
    """Switches; processes follow within five seconds."""

    list_display = ("key", "everyone", "percentage", "updated_at", "description")
    search_fields = ("key", "description")

    def save_model(
        self, request: HttpRequest, obj: FeatureFlag, form: ModelForm[FeatureFlag], change: bool
    ) -> None:
        """Save, and let this process see it at once."""
        super().save_model(request, obj, form, change)
        flags.forget()

    def delete_model(self, request: HttpRequest, obj: FeatureFlag) -> None:
        """Delete, and let this process see it at once."""
        super().delete_model(request, obj)
        flags.forget()
