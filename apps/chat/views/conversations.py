"""Conversations themselves: start, find, join, leave, name, archive, and who is in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.selectors import people as directory
from apps.accounts.services import access
from apps.accounts.services.scoped_roles import may_manage as may_manage_roles
from apps.accounts.types import PersonView
from apps.chat.forms import ChannelForm, ConvertForm, PeopleForm, PurposeForm, SettingsForm
from apps.chat.selectors import channels, conversations
from apps.chat.selectors.exporting import may_export
from apps.chat.services import conversations as changing
from apps.chat.services import members as seating
from apps.chat.types import ConversationView
from apps.chat.views.common import (
    PageRequest,
    conversation_address,
    done,
    form_answer,
    leave_to,
    list_context,
    page_or_dialog,
    posted,
    search_address,
)
from apps.core.errors import DomainError

MOST_CHOICES = 200


@dataclass(frozen=True, kw_only=True)
class PeopleChoice:
    """A choice among people.

    Attributes:
        sent: the form, once it is sent and not only looked for further names.
        needle: the name that is looked for.
        chosen: so far. others: who has the name, at most 200.
    """

    sent: QueryDict | None
    needle: str
    chosen: tuple[PersonView, ...]
    others: tuple[PersonView, ...]

    @property
    def people(self) -> tuple[PersonView, ...]:
        """Return all who are shown, the chosen ones first."""
        return self.chosen + self.others


@require_http_methods(["GET", "HEAD", "POST"])
def new_channel(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Create a channel."""
    may_be_public = bool(access.can(request.principal, "conversation.create_public"))
    form = ChannelForm(posted(request), may_be_public=may_be_public)
    context = {"form": form, "action": request.path, "submit": _("Create channel")}
    title = _("New channel")
    if request.method == "POST" and form.is_valid():
        try:
            created = changing.create_channel(principal=request.principal, **form.cleaned_data)
        except DomainError as refused:
            form.add_error("name", refused.detail)
        else:
            return leave_to(request, conversation_address(request.principal, created))
    if form.errors:
        return form_answer(request, "parts/form.html", context, form, title=title)
    return page_or_dialog(request, "parts/form.html", context, title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def new_direct(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Open the conversation with one or several people."""
    choice = _choice(request)
    form = PeopleForm(choice.sent, choices=choice.people)
    context = {"form": form, "choice": choice, "action": request.path, "submit": _("Open conversation")}
    title = _("Write to")
    if form.is_valid():
        try:
            opened = changing.open_direct(principal=request.principal, people=form.cleaned_data["people"])
        except DomainError as refused:
            form.add_error("people", refused.detail)
        else:
            return leave_to(request, conversation_address(request.principal, opened))
    if form.errors:
        return form_answer(request, "chat/parts/choose_people.html", context, form, title=title)
    return page_or_dialog(request, "chat/parts/choose_people.html", context, title=title)


@require_safe
def browse(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """List the channels the reader may see, joined or not, and on demand archived ones."""
    needle = request.GET.get("q", "").strip()[:100]
    is_archive = request.GET.get("state") == "archived"
    found = channels.list_directory(
        request.principal, query=needle, state="archived" if is_archive else "open"
    )
    may_create = access.can(request.principal, "conversation.create_public") or access.can(
        request.principal, "conversation.create_private"
    )
    context = {
        **list_context(request),
        "channels": found,
        "is_cut": len(found) == channels.MOST,
        "q": needle,
        "is_archive": is_archive,
        "may_create": bool(may_create),
    }
    return render(request, "chat/browse.html", context)


@require_POST
def join(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Join an open channel."""
    seating.join(principal=request.principal, conversation_id=conversation_id)
    return leave_to(request, conversation_address(request.principal, conversation_id))


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """Leave a channel; ask before, where one does not come back alone."""
    found = conversations.get_conversation(request.principal, conversation_id)
    if request.method != "POST":
        title = _("Leave %(name)s") % {"name": found.name}
        context = {"conversation": found, "action": request.path, "slug": slug}
        return page_or_dialog(request, "chat/parts/leave.html", context, title=title)
    seating.remove_person(
        principal=request.principal, conversation_id=conversation_id, person_id=request.principal.id
    )
    said = _("You left %(name)s") % {"name": found.name}
    return leave_to(request, reverse("chat:home", kwargs={"slug": slug}), said=said)


@require_http_methods(["GET", "HEAD", "POST"])
def members(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """List who is in a conversation, and add people to a channel."""
    found = conversations.get_conversation(request.principal, conversation_id)
    inside = conversations.members(request.principal, conversation_id)
    may_add = (
        found.kind == "channel"
        and found.is_member
        and not found.archived_at
        and not request.principal.is_guest
    )
    choice = _choice(request, without={person.id for person in inside})
    form = PeopleForm(choice.sent, choices=choice.people)
    listed = [person for person in inside if choice.needle.casefold() in person.name.casefold()]
    context = {
        "conversation": found, "members": listed[:MOST_CHOICES], "form": form,
        "unlisted": max(0, len(listed) - MOST_CHOICES), "choice": choice, "may_add": may_add,
        "may_remove": _may_manage(request, found) and found.kind == "channel", "action": request.path,
        "may_give_roles": found.kind == "channel" and may_manage_roles(request.principal, found.scope),
        "submit": _("Add people"), "slug": slug,
    }  # fmt: skip
    title = _("Members of %(name)s") % {"name": found.name}
    if form.is_valid():
        try:
            seating.add_people(
                principal=request.principal,
                conversation_id=conversation_id,
                people=form.cleaned_data["people"],
            )
        except DomainError as refused:
            form.add_error("people", refused.detail)
        else:
            return leave_to(request, conversation_address(request.principal, conversation_id))
    if form.errors:
        return form_answer(request, "chat/parts/members.html", context, form, title=title)
    return page_or_dialog(request, "chat/parts/members.html", context, title=title)


@require_POST
def remove(request: PageRequest, slug: str, conversation_id: UUID, person_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take someone out of a channel."""
    seating.remove_person(principal=request.principal, conversation_id=conversation_id, person_id=person_id)
    return leave_to(request, conversation_address(request.principal, conversation_id))


@require_http_methods(["GET", "HEAD", "POST"])
def about(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """Show what a conversation is for; members change it here, and leave it here."""
    found = conversations.get_conversation(request.principal, conversation_id)
    may_change = found.kind == "channel" and found.is_member and not request.principal.is_guest
    initial = {
        "name": found.name, "description": found.description, "is_private": found.is_private,
        "who_posts": found.who_posts, "takes_replies": found.takes_replies,
    }  # fmt: skip
    may_manage = _may_manage(request, found) and found.kind == "channel"
    form = (SettingsForm if may_manage else PurposeForm)(posted(request), initial=initial)
    context = {
        "conversation": found, "form": form, "may_change": may_change, "slug": slug, "action": request.path,
        "may_archive": may_manage, "may_export": may_export(request.principal, found),
        "search_url": search_address(request.principal, found.id),
    }  # fmt: skip
    if request.method == "POST" and may_change and form.is_valid():
        kept = () if form.cleaned_data.get("who_posts") else ("who_posts", "takes_replies")
        changed = {
            name: value
            for name, value in form.cleaned_data.items()
            if value != initial[name] and name not in kept
        }
        try:
            changing.update_conversation(
                principal=request.principal, conversation_id=conversation_id, **changed
            )
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return leave_to(request, conversation_address(request.principal, conversation_id))
    if form.errors:
        return form_answer(request, "chat/parts/about.html", context, form, title=found.name)
    return page_or_dialog(request, "chat/parts/about.html", context, title=found.name)


@require_POST
def archive(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Archive a channel, or open it again."""
    is_archived = request.POST.get("archived") == "1"
    changing.update_conversation(
        principal=request.principal, conversation_id=conversation_id, is_archived=is_archived
    )
    return leave_to(request, conversation_address(request.principal, conversation_id))


@require_http_methods(["GET", "HEAD", "POST"])
def convert(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Make a channel of a group conversation."""
    found = conversations.get_conversation(request.principal, conversation_id)
    form = ConvertForm(posted(request))
    context = {"form": form, "action": request.path, "submit": _("Make it a channel")}
    title = _("Make a channel of %(name)s") % {"name": found.name}
    if request.method == "POST" and form.is_valid():
        try:
            changing.convert_to_channel(
                principal=request.principal, conversation_id=conversation_id, name=form.cleaned_data["name"]
            )
        except DomainError as refused:
            form.add_error("name", refused.detail)
        else:
            said = _("This is a private channel now; its history stayed")
            return leave_to(request, conversation_address(request.principal, conversation_id), said=said)
    if form.errors:
        return form_answer(request, "parts/form.html", context, form, title=title)
    return page_or_dialog(request, "parts/form.html", context, title=title)


@require_POST
def preferences(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Star or mute a conversation for oneself."""
    wanted = {name: request.POST[name] == "1" for name in ("is_starred", "is_muted") if name in request.POST}
    seating.set_preferences(principal=request.principal, conversation_id=conversation_id, **wanted)
    return done(request, conversation_address(request.principal, conversation_id))


def _choice(request: PageRequest, *, without: Collection[UUID] = ()) -> PeopleChoice:
    """Return whom one may choose of everybody: those chosen so far stay whatever name is looked for next."""
    given = request.POST if request.method == "POST" else request.GET
    needle = given.get("q", "").strip()[:100]
    barred = {request.principal.id, *without}
    ids = dict.fromkeys(_ids(given.getlist("people")[:MOST_CHOICES]))
    known = directory.visible_people(principal=request.principal, ids=ids)
    chosen = [known[one] for one in ids if one in known and known[one].is_active and one not in barred]
    found = directory.directory(principal=request.principal, query=needle, limit=MOST_CHOICES)
    barred.update(person.id for person in chosen)
    return PeopleChoice(
        sent=request.POST if request.method == "POST" and "find" not in request.POST else None,
        needle=needle,
        chosen=tuple(chosen),
        others=tuple(person for person in found if person.id not in barred),
    )


def _ids(texts: Sequence[str]) -> Iterator[UUID]:
    """Yield the ids; what is none names nobody, and the form refuses it."""
    for text in texts:
        with suppress(ValueError):
            yield UUID(text)


def _may_manage(request: PageRequest, found: ConversationView) -> bool:
    return conversations.may_manage(request.principal, found.id)
