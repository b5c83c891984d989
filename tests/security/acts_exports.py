"""Scenarios of acts on imports of history, and on exports of conversations and organizations."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.models import Invitation
from apps.accounts.selectors.principals import hash_secret
from apps.accounts.services import invitations
from apps.accounts.services.absent import add_absent_person
from apps.chat.services.slack import imports
from apps.security.services import data_exports
from tests.chat.slack.exports import small, uploaded
from tests.factories.runs import work_off
from tests.security.acts import Act, Stage


def _checked(stage: Stage) -> UUID:
    import_id = imports.start_check(principal=stage.acting, file_id=uploaded(stage.acting, small().zipped()))
    work_off()
    return import_id


def _confirmed(stage: Stage) -> UUID:
    import_id = _checked(stage)
    imports.confirm(principal=stage.acting, import_id=import_id)
    return import_id


def _export(stage: Stage) -> UUID:
    return data_exports.start(principal=stage.acting, kind="organization", target_id=stage.organization.pk)


def _exported(stage: Stage) -> UUID:
    export_id = _export(stage)
    work_off()
    return export_id


def _invited_of_before(stage: Stage) -> tuple[str, str]:
    """Return both parts of the link that the mail to an imported person has."""
    add_absent_person(organization_id=stage.organization.pk, address="gone@example.org", name="Gone")
    link = invitations.invite(principal=stage.acting, email="gone@example.org")
    Invitation.objects.filter(pk=link.id).update(mailed_hash=hash_secret("of the mail"))
    return link.url.rstrip("/").rpartition("/")[2], "of the mail"


ACTS: dict[str, Act] = {
    "member.imported": Act(
        lambda s, _: add_absent_person(
            organization_id=s.organization.pk,
            address="gone@example.org",
            name="Gone",
            actor_id=s.owner.user_id,
        )
    ),
    "member.came_in": Act(
        lambda s, link: invitations.accept_invitation(
            secret=link[0], mailed=link[1], password="correct horse battery", name="Gone"
        ),
        _invited_of_before,
        actor="newcomer",
    ),
    "import.checked": Act(
        lambda s, file: imports.start_check(principal=s.acting, file_id=file),
        lambda s: uploaded(s.acting, small().zipped()),
    ),
    "import.confirmed": Act(lambda s, made: imports.confirm(principal=s.acting, import_id=made), _checked),
    "import.stopped": Act(lambda s, made: imports.stop(principal=s.acting, import_id=made), _confirmed),
    "import.discarded": Act(lambda s, made: imports.discard(principal=s.acting, import_id=made), _checked),
    "export.started": Act(lambda s, _: _export(s)),
    "export.fetched": Act(
        lambda s, made: s.browser(s.owner.user).get(s.address(f"exports/{made}/data.zip")), _exported
    ),
}
