"""What chat does when others change something."""

from apps.accounts.events import MemberChanged
from apps.chat.services.conversations import end_all_memberships
from apps.core.events.subscribers import after_commit


@after_commit(MemberChanged)
def leave_with_the_organization(event: MemberChanged) -> None:
    """Whoever left the organization leaves its conversations; the seats ended with the change itself."""
    if not event.is_active:
        end_all_memberships(person_id=event.principal_id)
