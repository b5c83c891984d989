"""What one planned: scheduled messages, reminders, drafts."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.chat.errors import TimeNotPossible
from apps.chat.forms import ReminderForm, ScheduleForm
from apps.chat.selectors import conversations, planning
from apps.chat.services import drafts, reminders, scheduling
from apps.chat.views.common import (
    PageRequest,
    conversation_address,
    leave_to,
    list_context,
    message_address,
    page_or_dialog,
    posted,
    thread_address,
    visible_message,
)
from apps.core.errors import DomainError, InvalidInput
from apps.files.selectors import files


@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """Write a message that is sent later."""
    found = conversations.get_conversation(request.principal, conversation_id)
    asked = request.POST if request.method == "POST" else request.GET
    initial = {
        **{name: asked.get(name, "") for name in ("topic", "thread", "priority")},
        "attachments": asked.getlist("attachments"), "send_at": _tomorrow(),
    }  # fmt: skip
    takes_topic = found.kind == "channel" and not initial["thread"]
    form = ScheduleForm(posted(request), initial=initial, takes_topic=takes_topic)
    if request.method == "POST" and form.is_valid():
        try:
            scheduling.schedule_message(
                principal=request.principal, conversation_id=conversation_id, **form.cleaned_data
            )
        except DomainError as refused:
            _add_refusal(form, refused)
        else:
            drafts.save_draft(
                principal=request.principal,
                conversation_id=conversation_id,
                body="",
                thread=form.cleaned_data["thread"],
            )
            return leave_to(
                request, reverse("chat:scheduled", kwargs={"slug": slug}), said=_("Message scheduled")
            )
    return _show_schedule(request, form, title=_("Send later"), submit=_("Schedule"))


@require_safe
def scheduled(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List what the reader scheduled: what failed first, with the reason."""
    found = planning.scheduled_of(request.principal)
    names = conversations.names(request.principal, {one.conversation for one in found})
    file_names = files.names(request.principal, {file for one in found for file in one.attachments})
    entries = [
        {
            "one": one,
            "name": names.get(one.conversation, ""),
            "files": [file_names[file] for file in one.attachments if file in file_names],
            "address": message_address(request.principal, one.conversation, one.message)
            if one.message
            else conversation_address(request.principal, one.conversation),
        }
        for one in found
    ]
    return render(
        request, "chat/scheduled.html", {**list_context(request), "entries": entries, "own_page": "scheduled"}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def change_scheduled(request: PageRequest, slug: str, scheduled_id: UUID) -> HttpResponse:
    """Change a scheduled message; its files stay."""
    one = planning.get_scheduled(request.principal, scheduled_id)
    kind = conversations.get_conversation(request.principal, one.conversation).kind
    form = ScheduleForm(
        posted(request),
        initial=dataclasses.asdict(one),
        takes_topic=kind == "channel" and one.thread is None,
    )
    for name in ("attachments", "thread"):
        form.fields[name].disabled = True
    if request.method == "POST" and form.is_valid():
        try:
            scheduling.change_scheduled(
                principal=request.principal,
                scheduled_id=scheduled_id,
                body=form.cleaned_data["body"],
                topic=form.cleaned_data.get("topic"),
                priority=form.cleaned_data["priority"],
                send_at=form.cleaned_data["send_at"],
                confirm_mass_mention=form.cleaned_data["confirm_mass_mention"],
            )
        except DomainError as refused:
            _add_refusal(form, refused)
        else:
            return leave_to(request, reverse("chat:scheduled", kwargs={"slug": slug}))
    return _show_schedule(request, form, title=_("Scheduled message"), submit=_("Save"))


@require_POST
def send_scheduled(request: PageRequest, slug: str, scheduled_id: UUID) -> HttpResponse:
    """Send a scheduled message now."""
    scheduling.send_scheduled_now(principal=request.principal, scheduled_id=scheduled_id)
    return leave_to(request, reverse("chat:scheduled", kwargs={"slug": slug}), said=_("Message sent"))


@require_http_methods(["GET", "HEAD", "POST"])
def cancel_scheduled(request: PageRequest, slug: str, scheduled_id: UUID) -> HttpResponse:
    """Take a scheduled message back; its text is gone then, so that is asked first."""
    back = reverse("chat:scheduled", kwargs={"slug": slug})
    if request.method == "POST":
        scheduling.cancel_scheduled(principal=request.principal, scheduled_id=scheduled_id)
        return leave_to(request, back)
    one = planning.get_scheduled(request.principal, scheduled_id)
    return _ask_to_delete(request, one.body, back=back, title=_("Delete scheduled message"))


@require_http_methods(["GET", "HEAD", "POST"])
def remind(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Be reminded of a message."""
    message = visible_message(request, conversation_id, message_id)
    form = ReminderForm(posted(request), initial={"due_at": _tomorrow()})
    if request.method == "POST" and form.is_valid():
        try:
            reminders.remind(principal=request.principal, message_id=message_id, **form.cleaned_data)
        except DomainError as refused:
            form.add_error("due_at", refused.detail)
        else:
            here = message_address(request.principal, message.conversation, message_id)
            return leave_to(request, here, said=_("You will be reminded"))
    context = {"form": form, "action": request.path, "submit": _("Remind me"), "quick": _quick()}
    return page_or_dialog(
        request, "chat/parts/remind.html", context, title=_("Remind me"), status=422 if form.errors else 200
    )


@require_safe
def reminder_list(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the reader's reminders: what came first."""
    found = planning.reminders_of(request.principal)
    entries = [
        {
            "one": one,
            "address": message_address(request.principal, one.message.conversation, one.message.id)
            if one.message
            else "",
        }
        for one in found
    ]
    return render(
        request, "chat/reminders.html", {**list_context(request), "entries": entries, "own_page": "reminders"}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def change_reminder(request: PageRequest, slug: str, reminder_id: UUID) -> HttpResponse:
    """Change a reminder; a new time lets it come again."""
    one = planning.get_reminder(request.principal, reminder_id)
    form = ReminderForm(
        posted(request), initial={"due_at": one.due_at, "note": one.note, "repeat": one.repeat}
    )
    if request.method == "POST" and form.is_valid():
        try:
            reminders.change_reminder(
                principal=request.principal, reminder_id=reminder_id, **form.cleaned_data
            )
        except DomainError as refused:
            form.add_error("due_at", refused.detail)
        else:
            return leave_to(request, reverse("chat:reminders", kwargs={"slug": slug}))
    context = {"form": form, "action": request.path, "submit": _("Save"), "quick": _quick()}
    return page_or_dialog(
        request, "chat/parts/remind.html", context, title=_("Reminder"), status=422 if form.errors else 200
    )


@require_POST
def finish_reminder(request: PageRequest, slug: str, reminder_id: UUID) -> HttpResponse:
    """Put a reminder away; one that repeats comes again."""
    reminders.finish(principal=request.principal, reminder_id=reminder_id)
    return leave_to(request, reverse("chat:reminders", kwargs={"slug": slug}))


@require_http_methods(["GET", "HEAD", "POST"])
def delete_reminder(request: PageRequest, slug: str, reminder_id: UUID) -> HttpResponse:
    """Forget a reminder; its note is gone then, so that is asked first."""
    back = reverse("chat:reminders", kwargs={"slug": slug})
    if request.method == "POST":
        reminders.delete_reminder(principal=request.principal, reminder_id=reminder_id)
        return leave_to(request, back)
    one = planning.get_reminder(request.principal, reminder_id)
    said = one.note or (one.message.body if one.message else "")
    return _ask_to_delete(request, said, back=back, title=_("Delete reminder"))


@require_safe
def draft_list(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the reader's unsent texts."""
    found = planning.drafts_of(request.principal)
    names = conversations.names(request.principal, {one.conversation for one in found})
    entries = [
        {
            "one": one,
            "name": names.get(one.conversation, ""),
            "address": thread_address(request.principal, one.conversation, one.thread)
            if one.thread
            else conversation_address(request.principal, one.conversation),
        }
        for one in found
    ]
    return render(
        request, "chat/drafts.html", {**list_context(request), "entries": entries, "own_page": "drafts"}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def delete_draft(request: PageRequest, slug: str, draft_id: UUID) -> HttpResponse:
    """Delete unsent text; it is gone then, so that is asked first."""
    one = planning.get_draft(request.principal, draft_id)
    back = reverse("chat:drafts", kwargs={"slug": slug})
    if request.method == "POST":
        drafts.save_draft(
            principal=request.principal, conversation_id=one.conversation, thread=one.thread, body=""
        )
        return leave_to(request, back)
    return _ask_to_delete(request, one.body, back=back, title=_("Delete draft"))


def _show_schedule(request: PageRequest, form: ScheduleForm, *, title: str, submit: str) -> HttpResponse:
    field = form.fields["attachments"]
    try:
        attached = field.clean(form["attachments"].value())
    except ValidationError as error:
        raise InvalidInput from error
    context = {
        "form": form, "action": request.path, "submit": submit, "quick": _quick(),
        "files": files.names(request.principal, attached).values(),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return page_or_dialog(request, "chat/parts/schedule.html", context, title=title, status=status)


def _add_refusal(form: ScheduleForm, refused: DomainError) -> None:
    form.add_error("send_at" if isinstance(refused, TimeNotPossible) else None, refused.detail)


def _ask_to_delete(request: PageRequest, body: str, *, back: str, title: str) -> HttpResponse:
    context = {"body": body, "action": request.path, "back": back}
    return page_or_dialog(request, "chat/parts/delete_text.html", context, title=title)


def _tomorrow() -> datetime:
    return _at(timezone.localtime() + timedelta(days=1), 9)


def _at(day: datetime, hour: int) -> datetime:
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def _quick() -> list[dict[str, Any]]:
    """Return times that people choose most, each as what the field takes."""
    now = timezone.localtime()
    monday = now + timedelta(days=7 - now.weekday())
    choices = [
        (_("in 20 minutes"), now + timedelta(minutes=20)),
        (_("in an hour"), now + timedelta(hours=1)),
        (_("in three hours"), now + timedelta(hours=3)),
        (_("tomorrow at nine"), _tomorrow()),
        (_("on Monday at nine"), _at(monday, 9)),
    ]
    return [{"label": label, "value": f"{moment:%Y-%m-%dT%H:%M}"} for label, moment in choices]
