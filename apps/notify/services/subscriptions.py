"""Browsers that take push messages: begin, end, end with the sign-in they were made in."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.types import BY_SESSION, Principal
from apps.core.models.encrypted import matching
from apps.core.outbound.errors import AddressNotAllowed
from apps.core.outbound.urls import read
from apps.notify.errors import NotificationNotFound, SubscriptionInvalid, TooManySubscriptions
from apps.notify.models import PushSubscription
from apps.notify.services.web_push import BrowserKeys, KeysInvalid

MOST = 20


def subscribe(
    principal: Principal, *, endpoint: str, public_key: str, secret: str, user_agent: str = ""
) -> UUID:
    """Send push messages to a browser from now on; again for the same one takes its new keys, or its new person.

    Raises:
        SubscriptionInvalid, TooManySubscriptions.
    """
    _require_usable(endpoint, public_key, secret)
    with transaction.atomic():
        here = PushSubscription.objects.filter(organization_id=principal.organization_id)
        here.filter(matching(PushSubscription, "endpoint_index", endpoint)).delete()
        if here.filter(principal_id=principal.id).count() >= MOST:
            raise TooManySubscriptions(most=MOST)
        made = PushSubscription.objects.create(
            organization_id=principal.organization_id,
            principal_id=principal.id,
            endpoint=endpoint,
            public_key=public_key,
            secret=secret,
            session=principal.session if principal.credential == BY_SESSION else "",
            user_agent=user_agent[:300],
        )
    return made.pk


def unsubscribe(principal: Principal, *, subscription_id: UUID) -> None:
    """End one.

    Raises:
        NotificationNotFound: none of the principal's.
    """
    ended, _ = PushSubscription.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, pk=subscription_id
    ).delete()
    if not ended:
        raise NotificationNotFound


def end_with_sign_in(*, organization_id: UUID, principal_id: UUID, session: str) -> None:
    """End what was made in a sign-in that ended; an empty session is all of a person's. Twice is harmless."""
    rows = PushSubscription.objects.filter(organization_id=organization_id, principal_id=principal_id)
    (rows.filter(session=session) if session else rows).delete()


def _require_usable(endpoint: str, public_key: str, secret: str) -> None:
    """The address comes from a script anybody can write: https, and what it leads to is checked at each sending."""
    try:
        target = read(endpoint)
        BrowserKeys.read(public_key, secret)
    except (AddressNotAllowed, KeysInvalid) as error:
        raise SubscriptionInvalid from error
    if target.scheme != "https":
        raise SubscriptionInvalid
