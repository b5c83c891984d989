"""One decision: `can` on one thing, and the list of its kind, say the same for every principal and every thing.

The matrix is made from the kinds of principals (roles, keys, agents for people, conditions, a view as somebody else)
and the places of things (open, seats, direct, with history and without, every class of data, owned and unowned).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.conditions import DATA_CLASSES, AccessContext, clean
from apps.accounts.models import Member, Organization, Role, Scope, Seat
from apps.accounts.selectors.principals import acting_for, principal_for_key
from apps.accounts.selectors.scopes import visible_content, visible_scope_clause, visible_scopes
from apps.accounts.selectors.seated import within
from apps.accounts.selectors.view_as import find_viewed
from apps.accounts.services import access, reasons, view_as
from apps.accounts.services.objects import object_kinds
from apps.accounts.types import ObjectRef, Principal
from apps.chat.models import Conversation, Message
from apps.chat.selectors.conversations import heads, list_conversations, visible_conversations
from apps.chat.selectors.messages import visible_messages
from apps.core import tenancy
from apps.documents.models import Document
from apps.documents.selectors.documents import visible_documents
from apps.files.models import FileScope, StoredFile
from apps.files.selectors.files import openable_files
from apps.runs.models import Run
from apps.runs.selectors.runs import visible_runs, visible_runs_clause
from tests.factories.accounts import MemberFactory, OrganizationFactory, api_key, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
LISTS: dict[str, Callable[[Principal], QuerySet[object]]] = {
    "conversation": visible_conversations, "message": visible_messages, "file": openable_files,
    "document": visible_documents, "run": visible_runs,
}  # fmt: skip
MODELS = {
    "conversation": Conversation,
    "message": Message,
    "file": StoredFile,
    "document": Document,
    "run": Run,
}
KINDS = [
    "owner", "admin", "moderator", "member", "member_late", "member_left", "guest", "auditor", "stranger",
    "key", "key_bound", "key_files", "agent_for_member", "agent_for_guest", "held", "classes", "viewed",
]  # fmt: skip


@dataclass
class Matrix:
    """An organization full of things, and one principal of each kind."""

    organization: Organization
    principals: dict[str, Principal]
    foreign: dict[str, UUID]


def _things(organization: Organization, scope: Scope, maker: Member, number: int) -> dict[str, UUID]:
    """Put one thing of each kind into a scope; the names of their ids."""
    mine = {"organization": organization}
    conversation = Conversation.objects.create(
        **mine, kind="channel" if number % 3 else "direct", name=f"c{number}" if number % 3 else "", scope=scope,
        is_private=scope.audience == "seats", created_by=maker.user,
    )  # fmt: skip
    message = Message.objects.create(
        **mine, conversation=conversation, scope_id=scope.pk, sequence=1, sender=maker.user, client_key=str(number),
        body="b", html="b", sent_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    file = StoredFile.objects.create(
        **mine, uploader=maker.user, name="f", declared_size_bytes=1, received_bytes=1, storage_key=str(uuid4()),
        state="ready",
    )  # fmt: skip
    if number % 4:
        FileScope.objects.create(**mine, file=file, scope=scope)
    document = Document.objects.create(
        **mine, file_id=file.pk, scope_id=scope.pk, created_by=maker.user, title="t", name="n", state="ready"
    )
    run = Run.objects.create(
        **mine, kind="tests", queue="default", principal=maker.user, scope_id=scope.pk if number % 2 else None
    )
    made = (conversation, message, file, document, run)
    return {kind: row.pk for kind, row in zip(LISTS, made, strict=True)}


@pytest.fixture
def matrix(db: None) -> Iterator[Matrix]:
    organization, other = OrganizationFactory(), OrganizationFactory()
    roles = ("owner", "admin", "moderator", "member", "guest", "auditor")
    members = {name: MemberFactory(organization=organization, role=name, name=name) for name in roles}
    members |= {
        name: MemberFactory(organization=organization) for name in ("member_late", "member_left", "stranger")
    }
    members["agent"] = MemberFactory(organization=organization, agent=True)
    stranger = MemberFactory(organization=other)
    limited = {
        "held": clean(networks=["192.0.2.0/24"]),
        "classes": clean(data_classes=["public", "internal"]),
    }
    with everywhere():
        for name, conditions in limited.items():
            role = Role.objects.create(
                organization=organization, key=name, name=name, permissions=["message.send", "search.use"],
                conditions=conditions.as_json(),
            )  # fmt: skip
            members[name] = MemberFactory(organization=organization, role=role)
        scopes = []
        for number, (audience, data_class) in enumerate(
            itertools.product(("seats", "organization"), DATA_CLASSES)
        ):
            scope = Scope.objects.create(
                organization=organization, kind="conversation", audience=audience, data_class=data_class
            )
            scopes.append(scope)
            everyone = [one for index, one in enumerate(members.values()) if (index + number) % 3]
            for one in everyone:
                late = one is members["member_late"]
                left = one is members["member_left"]
                Seat.objects.create(
                    organization=organization, scope=scope, principal=one.user,
                    visible_from=timezone.now() if late else None, left_at=timezone.now() if left else None,
                )  # fmt: skip
            _things(organization, scope, members["member" if number % 2 else "guest"], number)
        foreign_scope = Scope.objects.create(organization=other, kind="conversation", audience="organization")
        foreign = _things(other, foreign_scope, stranger, 1)
    with tenancy.use(organization.pk):
        found = {
            name: principal_of(row) for name, row in members.items() if name not in ("agent", "stranger")
        }
        found["stranger"] = principal_of(members["stranger"])
        whole, files = api_key(members["member"]), api_key(members["member"], scopes=["files:write"])
        found["key"], found["key_files"] = principal_for_key(whole.secret), principal_for_key(files.secret)
        bound = Conversation.objects.filter(organization=organization).order_by("pk")[:3]
        found["key_bound"] = replace(
            found["key"],
            conversations=frozenset(row.pk for row in bound),
            scopes=frozenset(r.scope_id for r in bound),
        )
        agent = members["agent"].user_id
        found["agent_for_member"] = acting_for(agent_id=agent, person=found["member"])
        found["agent_for_guest"] = acting_for(agent_id=agent, person=found["guest"])
        flag = view_as.begin(
            principal=found["admin"], member_id=found["member"].member_id, reason="why is the list empty?"
        )
        viewed = find_viewed(found["admin"], flag)
        assert viewed is not None
        found["viewed"] = viewed
        yield Matrix(organization, found, foreign)


@pytest.mark.parametrize("kind", LISTS)
def test_the_decision_on_each_thing_is_what_its_list_says(matrix: Matrix, kind: str) -> None:
    with everywhere():
        everything = set(MODELS[kind].objects.values_list("pk", flat=True))
    assert set(matrix.principals) == set(KINDS)
    for who, principal in matrix.principals.items():
        decided = {pk for pk in everything if access.can(principal, f"{kind}.read", ObjectRef(kind, pk))}
        assert decided == _listed(principal, kind), who
        assert matrix.foreign[kind] in everything - decided


def _listed(principal: Principal, kind: str) -> set[UUID]:
    """Return what the list shows; the door of some lists refuses a narrow key before it asks them."""
    needed = object_kinds()[kind].key_scope
    if needed and principal.key_scopes is not None and needed not in principal.key_scopes:
        return set()
    return set(LISTS[kind](principal).values_list("pk", flat=True))


@pytest.mark.parametrize("who", KINDS)
def test_the_three_forms_of_the_scopes_agree_with_the_decision_on_conversations(
    matrix: Matrix, who: str
) -> None:
    principal = matrix.principals[who]
    by_query = set(visible_scopes(principal))
    by_condition = set(
        Scope.objects.filter(visible_content(principal, scope="pk")).values_list("pk", flat=True)
    )
    for few in (False, True):
        clause = visible_scope_clause(principal, scope="accounts_scope.id", few=few)
        rows = Scope.objects.raw(f"SELECT id FROM accounts_scope WHERE {clause.sql}", clause.params)
        assert by_query == by_condition == {row.pk for row in rows}
    own = {view.scope for view in list_conversations(principal)}
    assert own <= by_query


@pytest.mark.parametrize("who", KINDS)
def test_the_statement_of_the_console_finds_the_runs_of_the_list(matrix: Matrix, who: str) -> None:
    principal = matrix.principals[who]
    clause = visible_runs_clause(principal)
    rows = Run.objects.raw(f"SELECT r.id FROM runs_run r WHERE {clause.sql}", clause.params)
    assert {row.pk for row in rows} == set(visible_runs(principal).values_list("pk", flat=True))


def test_the_matrix_has_both_answers_for_nearly_everyone(matrix: Matrix) -> None:
    """The proof that the comparison above compares something."""
    seen = {
        who: sum(
            bool(access.can(principal, f"{kind}.read", ObjectRef(kind, pk)))
            for kind in LISTS
            for pk in MODELS[kind]
            .objects.filter(organization=matrix.organization)
            .values_list("pk", flat=True)
        )
        for who, principal in matrix.principals.items()
    }
    assert seen["held"] == 0
    assert all(0 < count < 40 for who, count in seen.items() if who != "held"), seen
    assert seen["viewed"] < seen["member"]
    assert seen["classes"] < seen["stranger"] + 20


def test_a_socket_hears_of_no_conversation_that_is_not_seen(matrix: Matrix) -> None:
    for principal in matrix.principals.values():
        assert set(heads(principal)) <= set(visible_conversations(principal).values_list("pk", flat=True))


def test_the_rule_of_a_decision_is_in_its_chain_and_speaks_for_it(matrix: Matrix) -> None:
    for principal in matrix.principals.values():
        for ref in _everything():
            decision = access.can(principal, f"{ref.kind}.read", ref)
            assert any(
                ground.code == decision.rule and ground.holds is decision.allowed for ground in decision.chain
            )
            assert reasons.reason(decision)


def _everything() -> list[ObjectRef]:
    return [ObjectRef(kind, pk) for kind in LISTS for pk in MODELS[kind].objects.values_list("pk", flat=True)]


def test_conditions_are_asked_again_in_other_circumstances(matrix: Matrix) -> None:
    held = matrix.principals["held"]
    office = AccessContext(address="192.0.2.9")
    assert access.can(held, "message.send").rule == "condition.network"
    assert access.can(held, "message.send", context=office)
    ref = ObjectRef("message", Message.objects.filter(organization=matrix.organization).first().pk)  # type: ignore[union-attr]
    assert access.can(held, "message.read", ref).rule == "condition.network"
    assert bool(access.can(held, "message.read", ref, office)) == (
        visible_messages(within(held, office)).filter(pk=ref.id).exists()
    )
