"""What chat does when others change something."""

from django.db import transaction

from apps.accounts.events import InvitationAccepted, MemberChanged
from apps.accounts.selectors.organizations import names_of_all
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.api_keys import register_conversations
from apps.accounts.services.objects import register_object_kind
from apps.chat.selectors import explaining
from apps.chat.selectors.conversations import scopes_of, visible_conversations
from apps.chat.services.checking import check_read_state
from apps.chat.services.members import bring_in, end_all_memberships
from apps.core import tenancy
from apps.core.events.subscribers import after_commit
from apps.core.relay.periodic import every

register_conversations(scopes_of)
register_object_kind(explaining.CONVERSATION)
register_object_kind(explaining.MESSAGE)


@every(seconds=3600)
def check_unread_counts() -> None:
    """Compare what some members see with a recount, and report where they differ as a metric."""
    for organization_id in names_of_all():
        with tenancy.use(organization_id):
            check_read_state(organization_id=organization_id)


@after_commit(MemberChanged)
def leave_with_the_organization(event: MemberChanged) -> None:
    """Whoever left the organization leaves its conversations; the seats ended with the change itself."""
    if not event.is_active:
        end_all_memberships(person_id=event.principal_id)


@after_commit(InvitationAccepted)
def join_invited_conversations(event: InvitationAccepted) -> None:
    """Whoever comes in by invitation joins the conversations it named, as far as the inviter sees them today."""
    if event.invited_by is None or not event.conversations:
        return
    inviter = principal_of_member(organization_id=event.organization_id, user_id=event.invited_by)
    open_channels = visible_conversations(inviter).filter(kind="channel", pk__in=event.conversations)
    for conversation_id in open_channels.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            bring_in(conversation_id=conversation_id, person_id=event.principal_id, actor_id=event.invited_by)
