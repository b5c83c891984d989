"""An organization's own emoji: added from a picture, taken away."""

from __future__ import annotations

import re
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.chat import actions
from apps.chat.errors import EmojiNameInvalid, EmojiNameTaken, EmojiNotFound, TooManyEmoji
from apps.chat.models import CustomEmoji
from apps.files.services import pictures

MOST = 500
PERMISSION = "message.moderate"
_CODE = re.compile(r"[a-z0-9_]{2,30}")


def add_emoji(*, principal: Principal, code: str, name: str, data: bytes) -> UUID:
    """Add an emoji from a picture, which is cut to a small square; return its id.

    Args:
        name: of the picture's file.

    Raises:
        PermissionMissing, EmojiNameInvalid, EmojiNameTaken, TooManyEmoji, and what `store_small` raises for pictures.
    """
    access.require(principal, PERMISSION)
    if not _CODE.fullmatch(code):
        raise EmojiNameInvalid
    mine = CustomEmoji.objects.filter(organization_id=principal.organization_id)
    if mine.filter(code=code).exists():
        raise EmojiNameTaken
    if mine.count() >= MOST:
        raise TooManyEmoji(limit=MOST)
    picture = pictures.store_emoji(principal=principal, name=name, data=data)
    try:
        with transaction.atomic():
            row = CustomEmoji.objects.create(
                organization_id=principal.organization_id,
                code=code,
                file_id=picture.id,
                created_by_id=principal.id,
            )
            trail.note(principal, actions.EMOJI_ADDED, "emoji", row.pk, code=code)
    except IntegrityError as error:
        raise EmojiNameTaken from error
    return row.pk


def remove_emoji(*, principal: Principal, code: str) -> None:
    """Take an emoji away; reactions with it show its name from then on.

    Raises:
        PermissionMissing, EmojiNotFound.
    """
    access.require(principal, PERMISSION)
    with transaction.atomic():
        row = (
            CustomEmoji.objects.select_for_update()
            .filter(organization_id=principal.organization_id, code=code)
            .first()
        )
        if row is None:
            raise EmojiNotFound
        trail.note(principal, actions.EMOJI_REMOVED, "emoji", row.pk, code=code)
        row.delete()
