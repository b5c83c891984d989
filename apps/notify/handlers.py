"""Duties of the relay, and what ends with a sign-in."""

from __future__ import annotations

from apps.accounts.events import AccessRevoked
from apps.accounts.selectors.members import list_organization_ids
from apps.core import tenancy
from apps.core.events.subscribers import in_transaction
from apps.core.relay.periodic import every
from apps.notify.selectors.kinds import register_kind
from apps.notify.services import poking, replying, seats, subscriptions

register_kind(seats.SEAT_ENDING)


@in_transaction(AccessRevoked)
def end_subscriptions(event: AccessRevoked) -> None:
    """A browser that was signed out shows nothing more of the organization."""
    with tenancy.use(event.organization_id):
        subscriptions.end_with_sign_in(
            organization_id=event.organization_id, principal_id=event.principal_id, session=event.session
        )


@every(seconds=2)
def poke_due_deliveries() -> None:
    """Wake workers for what is due."""
    poking.poke_due()


@every(seconds=10)
def repeat_urgent() -> None:
    """Say again what is urgent and unread."""
    poking.repeat_due()


@every(seconds=3600)
def tell_of_ending_seats() -> None:
    """Guests hear some days before that their seat ends."""
    for organization_id in list_organization_ids():
        with tenancy.use(organization_id):
            seats.tell_of_ending_seats()


@every(seconds=24 * 3600)
def forget_reply_addresses() -> None:
    """Keep the table of reply addresses small."""
    for organization_id in list_organization_ids():
        with tenancy.use(organization_id):
            replying.forget_expired()
