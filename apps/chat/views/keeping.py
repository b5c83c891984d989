"""What people keep: pins and bookmarks of a conversation, saved messages, copies elsewhere, acknowledgements."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.accounts.selectors import people
from apps.chat import presenting
from apps.chat.errors import MassMentionUnconfirmed, NotAChannel
from apps.chat.forms import BookmarkForm, ForwardForm
from apps.chat.selectors import bookmarks as kept
from apps.chat.selectors import conversations, saved
from apps.chat.services import acknowledging, bookmarks, forwarding, pacing, pins, previews
from apps.chat.services import saved as saving
from apps.chat.views.common import (
    PageRequest,
    ask_to_call_many,
    conversation_address,
    done,
    leave_to,
    list_context,
    message_address,
    page_or_dialog,
    posted,
    visible_message,
)
from apps.core.api.paging import NEWEST_FIRST, decode
from apps.core.errors import DomainError

ON_A_PAGE = 50
MOST_LISTED = 200  # of those who have seen a message, and of those who have not


@require_safe
def at_hand(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """Show the pinned messages and the bookmarks of a conversation."""
    return _at_hand(request, slug, conversation_id, BookmarkForm())


def _at_hand(
    request: PageRequest, slug: str, conversation_id: UUID, form: BookmarkForm, *, status: int = 200
) -> HttpResponse:
    found = conversations.get_conversation(request.principal, conversation_id)
    rows = presenting.rows(kept.pinned(request.principal, conversation_id), reader=request.principal)
    context = {
        "conversation": found, "rows": rows, "bookmarks": kept.bookmarks(request.principal, conversation_id),
        "may_change": found.is_member and not found.archived_at, "form": form, "slug": slug,
    }  # fmt: skip
    title = _("Pins and bookmarks")
    return page_or_dialog(request, "chat/parts/at_hand.html", context, title=title, status=status)


@require_POST
def add_bookmark(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """Put a link at hand."""
    form = BookmarkForm(request.POST)
    if form.is_valid():
        try:
            bookmarks.add_link(
                principal=request.principal, conversation_id=conversation_id, **form.cleaned_data
            )
        except DomainError as refused:
            form.add_error("url", refused.detail)
        else:
            return leave_to(
                request, conversation_address(request.principal, conversation_id), said=_("Bookmark added")
            )
    return _at_hand(request, slug, conversation_id, form, status=422)


@require_POST
def bookmark_file(
    request: PageRequest,
    slug: str,  # noqa: ARG001
    conversation_id: UUID,
    message_id: UUID,
    file_id: UUID,
) -> HttpResponse:
    """Put a file of a message at hand."""
    message = visible_message(request, conversation_id, message_id)
    title = next((file.name for file in message.attachments if file.id == file_id), "")
    bookmarks.add_file(
        principal=request.principal, conversation_id=conversation_id, file_id=file_id, title=title
    )
    return done(request, message_address(request.principal, conversation_id, message_id))


@require_POST
def remove_bookmark(
    request: PageRequest,
    slug: str,  # noqa: ARG001
    conversation_id: UUID,
    bookmark_id: UUID,
) -> HttpResponse:
    """Take a bookmark away."""
    bookmarks.remove_bookmark(
        principal=request.principal, conversation_id=conversation_id, bookmark_id=bookmark_id
    )
    return leave_to(request, conversation_address(request.principal, conversation_id))


@require_POST
def pin(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Pin a message, or take it down."""
    visible_message(request, conversation_id, message_id)
    pins.set_pinned(
        principal=request.principal, message_id=message_id, is_pinned=request.POST.get("is_pinned") == "1"
    )
    return done(request, message_address(request.principal, conversation_id, message_id))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def save(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Save a message for oneself, or forget it; asked, say whether it is saved."""
    visible_message(request, conversation_id, message_id)
    if request.method != "POST":
        return JsonResponse({"is_saved": saved.is_saved(request.principal, message_id)})
    saving.set_saved(
        principal=request.principal, message_id=message_id, is_saved=request.POST.get("is_saved") == "1"
    )
    return done(request, message_address(request.principal, conversation_id, message_id))


@require_safe
def saved_messages(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List what the reader saved."""
    position = decode(request.GET.get("cursor"), NEWEST_FIRST)
    page = saved.saved(request.principal, position=position, limit=ON_A_PAGE)
    names = conversations.names(request.principal, {one.message.conversation for one in page.rows})
    entries = [
        {
            "row": presenting.rows([one.message], reader=request.principal)[0],
            "name": names.get(one.message.conversation, ""),
            "address": message_address(request.principal, one.message.conversation, one.message.id),
        }
        for one in page.rows
    ]
    context = {**list_context(request), "entries": entries, "next": page.next, "own_page": "saved"}
    return render(request, "chat/saved.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def forward(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Send a copy of a message to another conversation."""
    message = visible_message(request, conversation_id, message_id)
    choices = [one for one in conversations.list_conversations(request.principal) if one.is_member]
    form = ForwardForm(posted(request), choices=choices, initial={"client_key": uuid4()})
    if request.method == "POST" and form.is_valid():
        pacing.take_turn(request.principal)
        try:
            sent = forwarding.forward_message(
                principal=request.principal,
                message_id=message_id,
                conversation_id=form.cleaned_data["conversation"],
                client_key=str(form.cleaned_data["client_key"]),
                comment=form.cleaned_data["comment"],
                topic=form.cleaned_data["topic"],
                confirm_mass_mention=form.cleaned_data["confirm_mass_mention"],
            )
        except MassMentionUnconfirmed as refused:
            return ask_to_call_many(request, form, refused)
        except DomainError as refused:
            form.add_error("topic" if isinstance(refused, NotAChannel) else "comment", refused.detail)
        else:
            target = message_address(request.principal, form.cleaned_data["conversation"], sent.id)
            return leave_to(request, target, said=_("Message forwarded"))
    (row,) = presenting.rows([message], reader=request.principal)
    context = {"form": form, "action": request.path, "row": row}
    status = 422 if form.errors else 200
    return page_or_dialog(
        request, "chat/parts/forward.html", context, title=_("Forward message"), status=status
    )


@require_POST
def hide_preview(
    request: PageRequest,
    slug: str,  # noqa: ARG001
    conversation_id: UUID,
    message_id: UUID,
    preview_id: UUID,
) -> HttpResponse:
    """Remove the preview of a link."""
    visible_message(request, conversation_id, message_id)
    previews.hide_preview(principal=request.principal, message_id=message_id, preview_id=preview_id)
    return done(request, message_address(request.principal, conversation_id, message_id))


@require_safe
def quote(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> JsonResponse:  # noqa: ARG001
    """Return a message as a quotation with the way back to it, for the composer."""
    message = visible_message(request, conversation_id, message_id)
    address = request.build_absolute_uri(message_address(request.principal, conversation_id, message_id))
    wrote = _("%(name)s wrote") % {"name": message.sender.name}
    return JsonResponse({"text": f"> [{wrote}]({address})\n>\n{forwarding.quote(message.body)}\n\n"})


@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say that one has seen an important message, or take it back; list who said so."""
    message = visible_message(request, conversation_id, message_id)
    if request.method == "POST":
        change = acknowledging.withdraw if "withdraw" in request.POST else acknowledging.acknowledge
        change(principal=request.principal, message_id=message_id)
        return done(request, message_address(request.principal, conversation_id, message_id))
    known = people.people(message.acknowledged)
    seen = [known[person] for person in message.acknowledged if person in known]
    inside = conversations.members(request.principal, conversation_id)
    missing = [
        person for person in inside if person.id not in message.acknowledged and person.id != message.sender.id
        and not person.is_agent
    ]  # fmt: skip
    context = {
        "seen": seen[:MOST_LISTED], "seen_count": len(seen), "seen_unlisted": max(0, len(seen) - MOST_LISTED),
        "missing": missing[:MOST_LISTED], "missing_unlisted": max(0, len(missing) - MOST_LISTED),
    }  # fmt: skip
    return page_or_dialog(request, "chat/parts/acknowledged.html", context, title=_("Who has seen it"))


@require_safe
@vary_on_headers("Accept", "HX-Request")
def reacted(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say who reacted with what, the first reaction first; a script that asks for JSON gets the names alone."""
    message = visible_message(request, conversation_id, message_id)
    known = people.people(person for one in message.reactions for person in one.principals)
    found = [
        (one.emoji, [known[person] for person in one.principals if person in known])
        for one in message.reactions
    ]
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({emoji: [person.name for person in persons] for emoji, persons in found})
    return page_or_dialog(request, "chat/parts/reacted.html", {"found": found}, title=_("Reactions"))
