"""Duties of the relay, and work that ends with the right to it."""

from __future__ import annotations

from apps.accounts.events import AccessRevoked, SeatRemoved
from apps.accounts.services.objects import register_object_kind
from apps.core import tenancy
from apps.core.events.subscribers import in_transaction
from apps.core.relay.periodic import every
from apps.runs.selectors import explaining
from apps.runs.services import recovery
from apps.runs.services.runs import stop_runs_of

register_object_kind(explaining.RUN)

# Signing out somewhere, a new password or factor takes no right away: the work goes on for whoever comes back.
_LEAVES_WORK = frozenset({"signed_out", "password_changed", "factor_changed", "key_unused"})


@in_transaction(AccessRevoked)
def stop_work_of_the_revoked(event: AccessRevoked) -> None:
    """What a withdrawn key, client or seat asked for stops."""
    if event.reason in _LEAVES_WORK:
        return
    with tenancy.use(event.organization_id):
        stop_runs_of(principal_id=event.principal_id, credential=event.session)


@in_transaction(SeatRemoved)
def stop_work_for_a_lost_audience(event: SeatRemoved) -> None:
    """What somebody asked for an audience stops when the seat in it ends."""
    with tenancy.use(event.organization_id):
        stop_runs_of(principal_id=event.principal_id, scope_id=event.scope)


@every(seconds=2)
def recover_lost_runs() -> None:
    """Free what dead workers held."""
    recovery.recover_lost()


@every(seconds=2)
def poke_due_runs() -> None:
    """Wake workers for what is due; this is why an empty Redis is harmless."""
    recovery.poke_due()


@every(seconds=3600)
def forget_old_frames() -> None:
    """Keep the table of frames small."""
    recovery.forget_frames()
