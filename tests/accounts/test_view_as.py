"""Look at pages as somebody else: who may, what is seen, that nothing can be changed, and that everybody knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import (
    MemberNotFound,
    NameNotValid,
    PermissionMissing,
    PersonRequired,
    ViewAsNotPossible,
)
from apps.accounts.models import Member, Organization, ViewAs
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.selectors.sessions import VIEW_AS, store
from apps.accounts.services import view_as
from apps.accounts.types import READING, Principal
from apps.chat.models import Membership
from apps.chat.services import conversations, drafts, messages
from apps.core import tenancy
from apps.core.models import AuditEntry, Event
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, OrganizationFactory, api_key, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
REASON = "You wrote that a channel is missing."
Make = Callable[..., Member]


@pytest.fixture
def admin(member: Make) -> Member:
    return member("admin", name="Aylin")


@pytest.fixture
def ben(member: Make) -> Member:
    return member("member", name="Ben")


def begin(viewer: Member, person: Member, **changed: Any) -> str:
    values = {"principal": principal_of(viewer), "member_id": person.pk, "reason": REASON, **changed}
    with tenancy.use(viewer.organization_id):
        return view_as.begin(**values)


def look(viewer: Member, person: Member) -> Client:
    """Return the viewer's browser, in which it looks at pages as the person, through the console's form."""
    client = Client()
    client.cookies["session"] = open_session(viewer.user)
    slug = viewer.organization.slug
    answer = client.post(f"/o/{slug}/console/people/{person.pk}/view/", {"reason": REASON})
    assert answer.status_code == 302, answer.content
    return client


def written(model: Any) -> int:
    with everywhere():
        return int(model.objects.count())


# Who may


@pytest.mark.parametrize("role", ["moderator", "member", "guest", "auditor"])
def test_without_the_right_nobody_looks(member: Make, ben: Member, role: str) -> None:
    with pytest.raises(PermissionMissing):
        begin(member(role), ben)
    assert written(ViewAs) == 0


def test_nobody_looks_as_who_may_do_more(member: Make, admin: Member) -> None:
    with pytest.raises(ViewAsNotPossible):
        begin(admin, member("owner"))
    assert written(ViewAs) == 0


def test_nobody_looks_as_itself(admin: Member) -> None:
    with pytest.raises(ViewAsNotPossible):
        begin(admin, admin)


def test_nobody_looks_as_an_agent(organization: Organization, admin: Member) -> None:
    with pytest.raises(ViewAsNotPossible):
        begin(admin, MemberFactory(organization=organization, agent=True))


def test_nobody_looks_as_who_left_or_runs_the_server(member: Make, admin: Member) -> None:
    operator = member("member")
    operator.user.is_staff = True
    operator.user.save()
    with pytest.raises(ViewAsNotPossible):
        begin(admin, operator)
    with pytest.raises(ViewAsNotPossible):
        begin(admin, member("member", deactivated_at=timezone.now()))
    assert written(ViewAs) == 0


def test_a_person_of_another_organization_does_not_exist(admin: Member) -> None:
    with pytest.raises(MemberNotFound):
        begin(admin, MemberFactory(organization=OrganizationFactory()))


def test_a_key_has_no_pages_to_look_at(admin: Member, ben: Member) -> None:
    with pytest.raises(PersonRequired):
        begin(admin, ben, principal=principal_for_key(api_key(admin).secret))


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_reason_is_needed(admin: Member, ben: Member, reason: str) -> None:
    with pytest.raises(NameNotValid):
        begin(admin, ben, reason=reason)
    assert written(ViewAs) == 0


# What is seen


@pytest.fixture
def talks(organization: Organization, admin: Member, ben: Member, member: Make) -> dict[str, UUID]:
    """A channel of both, a private one of Ben's, an open one, and a direct talk of Ben's."""
    cleo = principal_of(member("member", name="Cleo"))
    aylin, b = principal_of(admin), principal_of(ben)
    with tenancy.use(organization.pk):
        made = {
            "both": conversations.create_channel(
                principal=b, name="both", is_private=True, people=[aylin.id]
            ),
            "private": conversations.create_channel(principal=b, name="verborgen", is_private=True),
            "direct": conversations.open_direct(principal=b, people=[cleo.id]),
        }
        for name, conversation in made.items():
            messages.send_message(
                principal=b, conversation_id=conversation, body=f"words of {name}", client_key=uuid4().hex
            )
            drafts.save_draft(principal=b, conversation_id=conversation, body=f"draft of {name}")
    return made


def test_only_what_both_see_is_shown(
    organization: Organization, admin: Member, ben: Member, talks: dict[str, UUID]
) -> None:
    client, base = look(admin, ben), f"/o/{organization.slug}/"
    shown = client.get(f"{base}c/{talks['both']}/").content.decode()
    assert "words of both" in shown
    assert "data-view-as" in shown
    assert "verborgen" not in shown
    assert "Cleo" not in shown
    assert "draft of both" not in shown
    assert client.get(f"{base}c/{talks['private']}/").status_code == 404
    assert client.get(f"{base}c/{talks['direct']}/").status_code == 404
    own = Client()
    own.cookies["session"] = open_session(ben.user)
    control = own.get(f"{base}c/{talks['both']}/").content.decode()
    assert "draft of both" in control
    assert "verborgen" in control


def test_the_page_opens_no_socket(organization: Organization, admin: Member, ben: Member) -> None:
    base = f"/o/{organization.slug}/"
    assert "/ws/v1/" not in look(admin, ben).get(base, follow=True).content.decode()
    plain = Client()
    plain.cookies["session"] = open_session(admin.user)
    assert "/ws/v1/" in plain.get(base, follow=True).content.decode()


@pytest.mark.parametrize("page", ["settings/", "privacy/", "ask/"])
def test_what_is_the_persons_own_is_hidden(
    organization: Organization, admin: Member, ben: Member, page: str
) -> None:
    assert look(admin, ben).get(f"/o/{organization.slug}/{page}").status_code == 403


@pytest.mark.parametrize("page", ["/accounts/password/change/", "/admin/", "/accounts/reauthenticate/"])
def test_the_viewers_own_account_waits_meanwhile(admin: Member, ben: Member, page: str) -> None:
    answer = look(admin, ben).get(page)
    assert answer.status_code == 403
    assert b'type="password"' not in answer.content


def test_the_rights_left_are_those_that_change_nothing(
    organization: Organization, admin: Member, member: Make
) -> None:
    moderator = member("moderator")
    with tenancy.use(organization.pk):
        from apps.accounts.selectors.view_as import find_viewed

        viewed = find_viewed(principal_of(admin), begin(admin, moderator))
    assert viewed is not None
    assert viewed.permissions == {"search.use", "directory.read", "console.view"}
    assert viewed.permissions <= READING


# That nothing can be changed


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_every_unsafe_method_is_refused(
    organization: Organization, admin: Member, ben: Member, talks: dict[str, UUID], method: str
) -> None:
    client = look(admin, ben)
    before = written(Event), written(Membership)
    for path in ("send/", "draft/", "leave/", "preferences/", "archive/"):
        answer = getattr(client, method)(
            f"/o/{organization.slug}/c/{talks['both']}/{path}", headers={"Accept": "application/json"}
        )
        assert answer.status_code == 403, path
        assert answer.json()["code"] == "view_as_read_only"
    assert (written(Event), written(Membership)) == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_api_is_closed_to_the_browser_that_looks(
    organization: Organization, admin: Member, ben: Member, method: str
) -> None:
    client = look(admin, ben)
    answer = getattr(client, method)("/api/v1/me/", headers={"Organization": organization.slug})
    assert (answer.status_code, answer.json()["code"]) == (403, "view_as_read_only")


# That it ends, and that everybody knows


def test_it_is_in_the_trail_the_persons_stream_and_its_mail(
    organization: Organization, admin: Member, ben: Member, django_capture_on_commit_callbacks: Any
) -> None:
    client = look(admin, ben)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/view/end/")
    assert answer.status_code == 302
    assert "data-view-as" not in client.get(f"/o/{organization.slug}/", follow=True).content.decode()
    with tenancy.use(organization.pk):
        entries = AuditEntry.objects.filter(action__startswith="view_as.").order_by("id")
        assert [(row.action, row.actor_id, row.object_id) for row in entries] == [
            ("view_as.started", admin.user_id, str(ben.user_id)),
            ("view_as.ended", admin.user_id, str(ben.user_id)),
        ]
        told = Event.objects.get(type="view_as.ended")
    assert (told.stream_id, told.payload["viewer"]) == (ben.pk, "Aylin")
    (letter,) = mail.outbox
    assert letter.to == [ben.user.email]
    assert REASON in letter.body
    own = Client()
    own.cookies["session"] = open_session(ben.user)
    assert REASON in own.get(f"/o/{organization.slug}/settings/").content.decode()


def test_after_half_an_hour_the_relay_ends_it(organization: Organization, admin: Member, ben: Member) -> None:
    client = look(admin, ben)
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        assert "data-view-as" not in client.get(f"/o/{organization.slug}/", follow=True).content.decode()
        with tenancy.use(organization.pk):
            ended = ViewAs.objects.get()
            assert ended.ended_at == ended.ends_at


def test_the_duty_ends_what_nobody_came_back_to(
    organization: Organization, admin: Member, ben: Member
) -> None:
    look(admin, ben)
    with tenancy.use(organization.pk):
        assert view_as.end_over(organization_id=organization.pk) == 0
        with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
            assert view_as.end_over(organization_id=organization.pk) == 1
            assert view_as.end_over(organization_id=organization.pk) == 0
        assert AuditEntry.objects.filter(action="view_as.ended").count() == 1


def test_a_second_one_ends_the_first(
    organization: Organization, admin: Member, ben: Member, member: Make
) -> None:
    cleo = member("member")
    begin(admin, ben)
    begin(admin, cleo)
    with tenancy.use(organization.pk):
        assert ViewAs.objects.get(ended_at=None).person_id == cleo.user_id


def test_it_belongs_to_one_session(organization: Organization, admin: Member, ben: Member) -> None:
    flag = begin(admin, ben)
    other = Client()
    key = open_session(admin.user)
    session = store(key)
    session[VIEW_AS] = flag  # a flag that another browser's session has
    session.save()
    other.cookies["session"] = key
    assert "data-view-as" not in other.get(f"/o/{organization.slug}/", follow=True).content.decode()


def test_losing_the_right_ends_it_on_the_next_page(
    organization: Organization, admin: Member, ben: Member
) -> None:
    from tests.factories.accounts import role_of

    client = look(admin, ben)
    with everywhere():
        admin.role = role_of(organization, "member")
        admin.save()
    assert "data-view-as" not in client.get(f"/o/{organization.slug}/", follow=True).content.decode()


def test_a_refusal_meanwhile_names_who_looks(organization: Organization, admin: Member, ben: Member) -> None:
    from apps.accounts.selectors.view_as import find_viewed
    from apps.accounts.services.trail import note

    with tenancy.use(organization.pk):
        viewed: Principal | None = find_viewed(principal_of(admin), begin(admin, ben))
        assert viewed is not None
        note(viewed, "access.explained", "member", ben.user_id)
        entry = AuditEntry.objects.get(action="access.explained")
    assert (entry.actor_id, entry.on_behalf_of) == (admin.user_id, ben.user_id)
