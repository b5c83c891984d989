"""From what someone typed to a draft: cleaned, checked for shape, rendered. No rights are decided here."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.urls import reverse

from apps.accounts.selectors import groups as group_selectors
from apps.accounts.selectors import organizations
from apps.accounts.selectors import people as people_selectors
from apps.accounts.services import access
from apps.accounts.types import GUEST, Principal
from apps.chat.errors import (
    ClientKeyInvalid,
    ConversationNotFound,
    EmptyMessage,
    MessageTooLong,
    TooManyAttachments,
    TopicNameInvalid,
    UnreadableText,
)
from apps.chat.rendering.markdown import (
    MENTION,
    Mentionable,
    People,
    Place,
    Places,
    Rendered,
    is_plain,
    mention_names,
    place_names,
    render,
    render_plain,
)
from apps.chat.selectors import channels
from apps.chat.selectors.conversations import is_reached, member_ids
from apps.chat.services import mass_mentions
from apps.chat.types import ATTACHMENT_LIMIT, BODY_LIMIT, TOPIC_LIMIT, Card, Draft, PersonRef, Priority
from apps.core import tenancy

_CLIENT_KEY = re.compile(r"[A-Za-z0-9._:\-]{1,64}")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def unaddressed(body: str) -> str:
    """Return a text without the names that it mentions."""
    return MENTION.sub(" ", body)


def clean_body(body: str, *, may_be_empty: bool = False) -> str:
    """Return the body without outer blank lines and line-end spaces.

    Raises:
        UnreadableText: NUL or lone surrogates, which PostgreSQL or UTF-8 refuse.
        MessageTooLong, EmptyMessage.
    """
    if "\x00" in body or not (body.isascii() or _SURROGATE.search(body) is None):
        raise UnreadableText
    cleaned = body.replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()
    if len(cleaned) > BODY_LIMIT:
        raise MessageTooLong(limit=BODY_LIMIT, length=len(cleaned))
    if not cleaned.strip() and not may_be_empty:
        raise EmptyMessage
    return cleaned


def check_client_key(client_key: str) -> str:
    """Return the key.

    Raises:
        ClientKeyInvalid: not 1 to 64 safe characters.
    """
    if not _CLIENT_KEY.fullmatch(client_key):
        raise ClientKeyInvalid
    return client_key


def clean_topic(name: str) -> str:
    """Return the name of a topic on one line.

    Raises:
        TopicNameInvalid: nothing, too long, or with characters that cannot be stored.
    """
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= TOPIC_LIMIT or not cleaned.isprintable() or _SURROGATE.search(cleaned):
        raise TopicNameInvalid(limit=TOPIC_LIMIT)
    return cleaned


def clean_topic_or_general(name: str) -> str:
    """Return the name of a topic on one line; empty is the general one.

    Raises:
        TopicNameInvalid: what `clean_topic` refuses.
    """
    return clean_topic(name) if name.strip() else ""


def person_ref(principal: Principal) -> PersonRef:
    """Return how the principal appears beside its messages."""
    return _person_ref(principal.id, principal.name, principal.kind, is_guest=principal.role == GUEST)


@lru_cache(maxsize=4096)
def _person_ref(pk: UUID, name: str, kind: str, *, is_guest: bool) -> PersonRef:
    words = name.split()
    initials = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper()
    return PersonRef(pk, name, kind, initials, pk.int % 6 + 1, is_guest=is_guest)


def needs_look_up(body: str) -> bool:
    """Return whether composing this body asks the database (it may mention someone) or takes long (it has markup)."""
    return not is_plain(body)


def compose(
    *,
    principal: Principal,
    conversation_id: UUID,
    body: str,
    client_key: str,
    thread: UUID | None = None,
    topic: str = "",
    attachments: tuple[UUID, ...] = (),
    card: Card | None = None,
    sent_at: datetime | None = None,
    priority: Priority = "",
    confirm_mass_mention: bool = False,
) -> Draft:
    """Return a draft ready for the write path. One query where the text may mention someone, two where it names
    channels, none otherwise.

    Raises:
        EmptyMessage, MessageTooLong, UnreadableText, ClientKeyInvalid, TooManyAttachments, TopicNameInvalid.
        ConversationNotFound: a key bound to others.
        MassMentionUnconfirmed: it calls many at once, and the sender has not said that this is meant.
    """
    if not is_reached(principal, conversation_id):
        raise ConversationNotFound
    check_client_key(client_key)
    if len(attachments) > ATTACHMENT_LIMIT:
        raise TooManyAttachments(limit=ATTACHMENT_LIMIT)
    cleaned = clean_body(body, may_be_empty=bool(attachments) or card is not None)
    rendered = render_body(cleaned, principal)
    announcing = access.places_of(principal, "message.announce")
    called = mass_mentions.audience(principal, conversation_id, rendered)
    meant = everyone_meant(rendered, conversation_id)
    if not confirm_mass_mention:
        mass_mentions.require_confirmed(called or mass_mentions.by_group(principal, rendered, meant))
    return Draft(
        organization_id=principal.organization_id,
        conversation_id=conversation_id,
        sender=person_ref(principal),
        client_key=client_key,
        body=cleaned,
        html=rendered.html,
        thread=thread,
        topic=clean_topic_or_general(topic),
        announces=announcing.everywhere,
        announce_scopes=tuple(announcing.scopes),
        mentions=meant,
        mentions_everyone=rendered.mentions_everyone,
        attachments=tuple(dict.fromkeys(attachments)),
        card=card,
        sent_at=sent_at,
        priority=priority,
        also_notified=() if rendered.mentions_everyone else called,
    )


def render_body(body: str, author: Principal | None = None) -> Rendered:
    """Render a cleaned body, looking up the people and channels it may name in the current organization.

    Args:
        author: whose text it is; without one, or where the author does not see all public channels, none is linked.
    """
    if is_plain(body):
        return render_plain(body)
    sees_channels = author is not None and not author.is_guest and author.conversations is None
    places = _places(place_names(body)) if sees_channels else {}
    return render(body, _people(mention_names(body)), places)


def _places(names: set[str]) -> Places:
    """Return which public channels these names mean; what is private is no link. One query, two where there is one."""
    found = channels.list_public(names) if names else {}
    if not found:
        return {}
    slug = organizations.slug_of(tenancy.current())
    return {
        name.lower(): Place(
            pk, name, reverse("chat:conversation", kwargs={"slug": slug, "conversation_id": pk})
        )
        for pk, name in found.items()
    }


def _people(names: set[str]) -> People:
    """Return who these names mean; a person before a group of the same name. One query, three for groups."""
    if not names:
        return {}
    found: dict[str, Mentionable] = {}
    for person in people_selectors.find_by_names(names=names):
        mentionable = Mentionable(person.id, person.name, person.is_agent)
        found.setdefault(person.name.casefold(), mentionable)
        found[str(person.id)] = mentionable
    if unknown := names - found.keys():
        for group in group_selectors.find_by_names(names=unknown):
            found.setdefault(group.name.casefold(), Mentionable(group.id, group.name, is_group=True))
    return found


def everyone_meant(rendered: Rendered, conversation_id: UUID) -> tuple[UUID, ...]:
    """Return whom a text mentions: people by name, and of its groups those who are in the conversation.

    Two queries where it names a group, none otherwise.
    """
    if not rendered.groups:
        return rendered.mentions
    people = group_selectors.people_in(rendered.groups)
    inside = member_ids(conversation_id=conversation_id, among=people)
    return tuple(dict.fromkeys((*rendered.mentions, *inside)))
