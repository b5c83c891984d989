"""Who wrote there is somebody here: a member with the same address, or a person of before without access."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from apps.accounts.errors import AddressNotValid
from apps.accounts.selectors import people as people_selectors
from apps.accounts.services.absent import NOWHERE_DOMAIN, add_absent_bot, add_absent_person
from apps.accounts.services.names import clean_address
from apps.accounts.types import GUEST, PersonView
from apps.chat.models import ImportedPerson
from apps.chat.services.slack.shapes import SlackPerson

MEMBER = "member"


class Cast:
    """The people of one workspace. Whoever was found or made once stays the same person in every later import."""

    def __init__(self, *, organization_id: UUID, source: str, actor_id: UUID) -> None:
        self._organization_id, self._source, self._actor_id = organization_id, source, actor_id
        rows = ImportedPerson.objects.filter(organization_id=organization_id, source=source)
        ids = dict(rows.values_list("external_id", "principal_id"))
        known = people_selectors.people(ids.values())
        self._known = {external: known[pk] for external, pk in ids.items() if pk in known}

    def find(self, external_id: str) -> PersonView | None:
        """Return who an id is here, or None."""
        return self._known.get(external_id)

    def author(self, external_id: str, name: str) -> PersonView:
        """Return who wrote; made here for programs, and for people the list of people has forgotten."""
        known = self._known.get(external_id)
        if known is not None:
            return known
        is_bot = external_id.startswith("bot:")
        shown = name or external_id.removeprefix("bot:")
        return self.add(SlackPerson(id=external_id, name=shown[:80], is_bot=is_bot))

    def add(self, person: SlackPerson, address: str = "", known_id: UUID | None = None) -> PersonView:
        """Store who somebody is: the member `known_id`, or somebody new."""
        with transaction.atomic():
            principal_id = known_id or self._make(person, address)
            ImportedPerson.objects.get_or_create(
                organization_id=self._organization_id,
                source=self._source,
                external_id=person.id,
                defaults={"principal_id": principal_id},
            )
        view = people_selectors.people([principal_id])[principal_id]
        self._known[person.id] = view
        return view

    def _make(self, person: SlackPerson, address: str) -> UUID:
        if person.is_bot:
            return add_absent_bot(
                organization_id=self._organization_id, name=person.name, actor_id=self._actor_id
            )
        return add_absent_person(
            organization_id=self._organization_id,
            address=address or self._nowhere(person.id),
            name=person.name,
            role=GUEST if person.is_guest else MEMBER,
            actor_id=self._actor_id,
        )

    def _nowhere(self, external_id: str) -> str:
        """Return an address for somebody without one; the same for the same person, and no one else's."""
        seed = f"{self._organization_id} {self._source} {external_id}"
        return f"slack-{hashlib.sha256(seed.encode()).hexdigest()[:32]}{NOWHERE_DOMAIN}"


def addresses_of(people: Iterable[SlackPerson]) -> dict[str, str]:
    """Return the usable addresses, by id; bots have none."""
    found = {}
    for person in people:
        if person.address and not person.is_bot:
            try:
                found[person.id] = clean_address(person.address)
            except AddressNotValid:
                continue
    return found


def members_among(addresses: Iterable[str]) -> dict[str, UUID]:
    """Return which addresses belong to people of the current organization."""
    return people_selectors.ids_by_address(list(addresses))
