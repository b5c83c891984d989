"""Create the demo organizations of the first start: people, conversations with a history, documents, the assistant."""

from __future__ import annotations

import json
import logging
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from django.utils import timezone

from apps.accounts.selectors import principals
from apps.accounts.services import api_keys, members, organizations
from apps.accounts.types import KEY_SCOPES, Principal
from apps.agents.services import assistants
from apps.chat.services import composing, conversations, messages, reactions
from apps.chat.types import SentMessage
from apps.core import tenancy
from apps.core.errors import DomainError
from apps.documents.services import documents
from apps.files.services import uploads

CONTENT = Path(__file__).resolve().parent.parent / "demo"
KEY_DAYS = 365
logger = logging.getLogger(__name__)


@dataclass
class DemoOrganization:
    """One organization while it is being filled."""

    id: UUID
    content: dict[str, Any]
    today: datetime
    people: dict[str, Principal] = field(default_factory=dict)
    labels: dict[str, UUID] = field(default_factory=dict)

    def when(self, entry: dict[str, Any]) -> datetime:
        """Return the moment of a message: so many days ago, at that hour, never in the future."""
        moment = self.today - timedelta(days=entry["days"]) + timedelta(hours=entry["hour"])
        return min(moment, timezone.now())


def create_demo(*, base_url: str, target: Path) -> None:
    """Create everything and write `demo.json` (mode 0600) with passwords and keys.

    Called once, on an empty database, inside no transaction: each organization is committed for itself.
    """
    content = yaml.safe_load((CONTENT / "content.yaml").read_text(encoding="utf-8"))
    people: list[dict[str, str]] = []
    for organization in content["organizations"]:
        people += _create_organization(organization)
    write_private(target, {**_addresses(base_url), "people": people})


def renew_addresses(*, base_url: str, target: Path) -> None:
    """Write where this start answers into a `demo.json` of an earlier one; a file that is gone stays gone."""
    try:
        content = json.loads(target.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        content = None
    if not isinstance(content, dict):
        logger.warning("demo.unreadable", extra={"file": str(target)})
        return
    current = {**content, **_addresses(base_url)}
    if current != content:
        write_private(target, current)


def _addresses(base_url: str) -> dict[str, str]:
    return {"base_url": base_url, "socket_url": base_url.replace("http", "ws", 1) + "/ws/v1/"}


def write_private(target: Path, content: dict[str, Any]) -> None:
    """Write JSON that only the owner may read, whole or not at all."""
    temporary = target.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump(content, handle, indent=2, ensure_ascii=False)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.rename(target)


def _create_organization(content: dict[str, Any]) -> list[dict[str, str]]:
    organization_id = organizations.create_organization(
        slug=content["slug"],
        name=content["name"],
        language=content["language"],
        factor_policy="nobody",  # the demo is looked at without setting anything up
    )
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with tenancy.use(organization_id):
        demo = DemoOrganization(organization_id, content, today)
        told = [_create_person(demo, person) for person in content["people"]]
        assistants.ensure_assistant(organization_id=organization_id)
        for channel in content["channels"]:
            _create_channel(demo, channel)
        for direct in content["direct"]:
            people = [demo.people[key] for key in direct["people"]]
            conversation = conversations.open_direct(principal=people[0], people=[p.id for p in people[1:]])
            _say_all(demo, conversation, direct["messages"])
        for document in content["documents"]:
            _add_document(demo, document)
    return told


def _create_person(demo: DemoOrganization, person: dict[str, str]) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user_id = members.create_person(
        email=person["email"],
        password=password,
        is_staff=person["role"] == "owner" and demo.content["slug"] == "nordlicht",
    )
    members.add_member(
        organization_id=demo.id,
        user_id=user_id,
        role=person["role"],
        name=person["name"],
        title=person["title"],
    )
    principal = principals.principal_of_member(organization_id=demo.id, user_id=user_id)
    demo.people[person["key"]] = principal
    key = api_keys.issue_for(
        organization_id=demo.id,
        owner_id=user_id,
        name="Demo",
        scopes=sorted(KEY_SCOPES),
        expires_at=timezone.now() + timedelta(days=KEY_DAYS - 1),
    )
    return {
        "organization": demo.content["slug"],
        "name": person["name"],
        "email": person["email"],
        "password": password,
        "role": person["role"],
        "api_key": key.secret,
    }


def _create_channel(demo: DemoOrganization, channel: dict[str, Any]) -> None:
    creator = demo.people[channel.get("by") or channel["messages"][0]["by"]]
    conversation = conversations.create_channel(
        principal=creator,
        name=channel["name"],
        description=channel["description"],
        is_private=channel.get("is_private", False),
        people=[demo.people[key].id for key in channel["people"]],
    )
    _say_all(demo, conversation, channel["messages"])


def _say_all(demo: DemoOrganization, conversation: UUID, entries: list[dict[str, Any]]) -> None:
    for number, entry in enumerate(entries):
        sender = demo.people[entry["by"]]
        draft = composing.compose(
            principal=sender,
            conversation_id=conversation,
            body=entry["body"],
            client_key=f"demo-{number}",
            thread=demo.labels.get(entry.get("reply", "")),
            sent_at=demo.when(entry),
        )
        (sent,) = messages.send_messages([draft])
        if isinstance(sent, DomainError):
            raise sent
        _remember(demo, entry, sent)
        for emoji, people in entry.get("reactions", {}).items():
            for key in people:
                reactions.add_reaction(principal=demo.people[key], message_id=sent.id, emoji=emoji)


def _remember(demo: DemoOrganization, entry: dict[str, Any], sent: SentMessage) -> None:
    if "label" in entry:
        demo.labels[entry["label"]] = sent.id


def _add_document(demo: DemoOrganization, document: dict[str, str]) -> None:
    owner = next(iter(demo.people.values()))
    content = (CONTENT / "documents" / document["file"]).read_bytes()
    stored = uploads.store_file(principal=owner, name=document["name"], data=content)
    documents.add_document(principal=owner, file_id=stored.id)
