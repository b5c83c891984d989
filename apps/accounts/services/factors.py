"""Second factors: add, use, remove. allauth holds the secrets, django-otp's device is what a session points at."""

from __future__ import annotations

from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_otp import verify_token

from apps.accounts import actions
from apps.accounts.errors import CodeWrong, FactorNotFound, FactorTaken, MemberNotFound, PasskeyWrong
from apps.accounts.models import SecondFactor, User
from apps.accounts.models.factor import matching_step
from apps.accounts.services import trail
from apps.accounts.services.mailing import mail_after_commit
from apps.accounts.services.names import clean_name
from apps.accounts.services.sessions import end_all

_TYPED = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)


def add_app(*, user_id: UUID, secret: str, code: str, keep_key: str | None) -> SecondFactor:
    """Add an authenticator app after it showed a right code; every other session and every socket ends.

    Args:
        keep_key: this browser stays signed in.

    Raises:
        CodeWrong, FactorTaken, MemberNotFound.
    """
    step = matching_step(secret, code)
    if step is None:
        raise CodeWrong
    with transaction.atomic():
        user = _locked(user_id)
        try:
            with transaction.atomic():
                authenticator = TOTP.activate(user, secret).instance
        except IntegrityError as error:
            raise FactorTaken from error
        factor: SecondFactor = SecondFactor.objects.create(
            user=user, authenticator=authenticator, name="", last_step=step, confirmed=True
        )
        _added(factor, keep_key=keep_key, what="app")
    return factor


def add_passkey(*, user_id: UUID, name: str, credential: dict[str, object], sign_count: int,
                keep_key: str | None) -> SecondFactor:  # fmt: skip
    """Add a key whose answer `passkeys` has accepted; every other session and every socket ends.

    Raises:
        PasskeyWrong: somebody has this key already.
        NameNotValid, MemberNotFound.
    """
    called = clean_name(name, limit=60)
    with transaction.atomic():
        user = _locked(user_id)
        authenticator = Authenticator.objects.create(
            user=user, type=Authenticator.Type.WEBAUTHN, data={"name": called, "credential": credential}
        )
        try:
            with transaction.atomic():
                factor: SecondFactor = SecondFactor.objects.create(
                    user=user,
                    authenticator=authenticator,
                    name=called,
                    sign_count=sign_count,
                    credential_id=credential["id"],
                )
        except IntegrityError as error:
            raise PasskeyWrong from error
        _added(factor, keep_key=keep_key, what="passkey")
    return factor


def check_code(*, user_id: UUID, code: str) -> SecondFactor:
    """Take a code of the authenticator app or a recovery code, once, and return whose it was.

    Raises:
        CodeWrong.
    """
    digits = "".join(code.split())
    if digits.isascii() and digits.isdigit():
        user = User.objects.filter(pk=user_id).first()
        rows = SecondFactor.objects.filter(user_id=user_id, authenticator__type__in=_TYPED, confirmed=True)
        for factor in rows.order_by("-authenticator__type"):  # the app first
            taken: SecondFactor | None = verify_token(user, factor.persistent_id, digits)
            if taken is not None:
                note_use(taken)
                return taken
    raise CodeWrong


def note_use(factor: SecondFactor) -> None:
    """Remember that a factor was used now."""
    Authenticator.objects.filter(pk=factor.authenticator_id).update(last_used_at=timezone.now())


def show_recovery_codes(*, user_id: UUID) -> list[str]:
    """Return the recovery codes that were not used yet; the trail says that they were seen.

    Raises:
        FactorNotFound: the person has no second factor, hence no codes.
    """
    row = SecondFactor.objects.filter(
        user_id=user_id, authenticator__type=Authenticator.Type.RECOVERY_CODES
    ).first()
    if row is None:
        raise FactorNotFound
    codes: list[str] = row.authenticator.wrap().get_unused_codes()
    with transaction.atomic():
        trail.note_account(user_id, actions.CODES_SHOWN)
    return codes


def renew_recovery_codes(*, user_id: UUID, keep_key: str | None) -> None:
    """Replace the recovery codes; the old ones stop working, and other sessions end.

    Raises:
        FactorNotFound, MemberNotFound.
    """
    with transaction.atomic():
        user = _locked(user_id)
        if not _main_factors(user_id):
            raise FactorNotFound
        Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
        _ensure_recovery_codes(user)
        end_all(user_id=user_id, keep_key=keep_key, reason="factor_changed")
        trail.note_account(user_id, actions.CODES_RENEWED)
        _tell(user, "codes")


def remove_factor(*, user_id: UUID, factor_id: int, keep_key: str | None) -> None:
    """Remove one factor, and the recovery codes with the last; every other session and every socket ends.

    Raises:
        FactorNotFound: unknown, another person's, or the recovery codes, which go with the last factor.
    """
    with transaction.atomic():
        user = _locked(user_id)
        row = (
            SecondFactor.objects.filter(user_id=user_id, pk=factor_id)
            .exclude(authenticator__type=Authenticator.Type.RECOVERY_CODES)
            .first()
        )
        if row is None:
            raise FactorNotFound
        Authenticator.objects.filter(pk=row.authenticator_id).delete()
        if not _main_factors(user_id):
            Authenticator.objects.filter(user_id=user_id).delete()
        end_all(user_id=user_id, keep_key=keep_key, reason="factor_changed")
        trail.note_account(user_id, actions.FACTOR_REMOVED, factor=factor_id)
        _tell(user, "removed")


def remove_all(*, user_id: UUID, operator_id: UUID) -> None:
    """Remove every factor of a person who lost them, as an operator; all sessions end.

    Raises:
        MemberNotFound.
    """
    with transaction.atomic():
        user = _locked(user_id)
        Authenticator.objects.filter(user_id=user_id).delete()
        end_all(user_id=user_id, reason="factor_changed")
        trail.note_account(user_id, actions.FACTOR_REMOVED, actor_id=operator_id, all=True)
        _tell(user, "removed")


def _locked(user_id: UUID) -> User:
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id, kind=User.Kind.PERSON).first()
    if user is None:
        raise MemberNotFound
    return user


def _main_factors(user_id: UUID) -> bool:
    others = Authenticator.objects.filter(user_id=user_id).exclude(type=Authenticator.Type.RECOVERY_CODES)
    found: bool = others.exists()
    return found


def _added(factor: SecondFactor, *, keep_key: str | None, what: str) -> None:
    user: User = factor.user
    _ensure_recovery_codes(user)
    end_all(user_id=user.pk, keep_key=keep_key, reason="factor_changed")
    trail.note_account(user.pk, actions.FACTOR_ADDED, factor=factor.pk, kind=what)
    _tell(user, what)


def _ensure_recovery_codes(user: User) -> None:
    codes = RecoveryCodes.activate(user).instance
    SecondFactor.objects.get_or_create(authenticator=codes, defaults={"user": user, "name": ""})


def _tell(user: User, what: str) -> None:
    """Mail the person after the commit: whoever did this, the owner of the address hears of it."""
    mail_after_commit(
        "factor_changed",
        to=[str(user.email)],
        language=user.language or settings.LANGUAGE_CODE,
        context={"what": what, "url": settings.PUBLIC_URL + "/accounts/factors/"},
        failed="factor_change.not_mailed",
        user=str(user.pk),
    )
