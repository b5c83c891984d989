"""Input and output of the account endpoints."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.conditions import DATA_CLASSES, MOST_NETWORKS, Conditions, read
from apps.accounts.services.api_keys import (
    LONGEST_DAYS,
    LONGEST_OVERLAP,
    MOST_CONVERSATIONS,
)
from apps.accounts.services.members import THEMES
from apps.accounts.types import KEY_SCOPES, PERMISSIONS
from apps.core.api.paging import PageQuery
from apps.core.api.serializers import CleanText, ExactBoolean, QueryBoolean, StrictSerializer
from apps.core.errors import DomainError

_SCOPES = sorted(KEY_SCOPES)


CONDITIONS_HELP = _(
    "networks, factor, days (1 to 7), from, until, zone, data_classes; what is absent is no condition."
)


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "networks": {"type": "array", "maxItems": MOST_NETWORKS, "items": {"type": "string"}},
            "factor": {"type": "boolean"},
            "days": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 7}},
            "from": {"type": "string"},
            "until": {"type": "string"},
            "zone": {"type": "string"},
            "data_classes": {"type": "array", "items": {"type": "string", "enum": list(DATA_CLASSES)}},
        },
    }
)
class ConditionsField(serializers.Field):  # type: ignore[type-arg]  # DRF's stubs want four parameters
    """What must hold for a role to give its rights."""

    def to_internal_value(self, data: Any) -> Conditions:
        """Read them; what is wrong is told with its reason."""
        if not isinstance(data, dict):
            raise serializers.ValidationError(_("Write the conditions as an object."))
        try:
            return read(data)
        except DomainError as refused:
            raise serializers.ValidationError(refused.detail) from refused
        except (TypeError, ValueError, AttributeError) as error:
            raise serializers.ValidationError(_("Write the conditions as an object.")) from error

    def to_representation(self, value: Conditions) -> dict[str, Any]:
        """Show what is set."""
        return value.as_json()


class OrganizationSerializer(serializers.Serializer[Any]):
    """An organization the caller belongs to."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    language = serializers.CharField()


class OrganizationChange(StrictSerializer):
    """What can be changed of an organization."""

    name = CleanText(max_length=100, required=False)
    language = CleanText(max_length=5, required=False)


class MemberSerializer(serializers.Serializer[Any]):
    """A member; `id` is the member's, `principal_id` what messages and events name."""

    id = serializers.UUIDField(source="member_id")
    principal_id = serializers.UUIDField(source="id")
    name = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()
    kind = serializers.CharField(help_text=_("person, bot, agent or service."))
    role = serializers.CharField()
    is_active = serializers.BooleanField()
    email = serializers.EmailField(allow_null=True, help_text=_("Only for itself and who manages members."))
    avatar_file_id = serializers.UUIDField(allow_null=True)
    joined_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text=_("When the seat of a guest is over."))


class MemberQuery(PageQuery):
    """Filters of the list of members."""

    query = CleanText(max_length=80, required=False, default="")
    role = CleanText(max_length=40, required=False, default="")
    include_inactive = QueryBoolean(required=False, default=False)


class MemberChange(StrictSerializer):
    """What a manager can change of a member."""

    role = CleanText(max_length=40, required=False)
    is_active = ExactBoolean(required=False)
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text=_("Of a guest; null is never.")
    )


class InvitationSerializer(serializers.Serializer[Any]):
    """An open invitation."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    role = serializers.CharField()
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


class InvitationInput(StrictSerializer):
    """A new invitation."""

    email = CleanText(max_length=254)
    role = CleanText(max_length=40, default="member")
    conversations = serializers.ListField(child=serializers.UUIDField(), max_length=50, default=list)
    seat_expires_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text=_("When the seat of a guest is over.")
    )


class IssuedLinkSerializer(serializers.Serializer[Any]):
    """A link, shown once."""

    id = serializers.UUIDField()
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


class RoleSerializer(serializers.Serializer[Any]):
    """A role."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    permissions = serializers.ListField(child=serializers.ChoiceField(choices=sorted(PERMISSIONS)))
    is_builtin = serializers.BooleanField()
    members = serializers.IntegerField()
    conditions = ConditionsField(help_text=CONDITIONS_HELP)


class RoleInput(StrictSerializer):
    """A new role."""

    key = CleanText(max_length=40)
    name = CleanText(max_length=60)
    permissions = serializers.ListField(child=CleanText(max_length=60), max_length=len(PERMISSIONS))
    conditions = ConditionsField(required=False, help_text=CONDITIONS_HELP)


class RoleChange(StrictSerializer):
    """What can be changed of a custom role."""

    name = CleanText(max_length=60, required=False)
    permissions = serializers.ListField(
        child=CleanText(max_length=60), max_length=len(PERMISSIONS), required=False
    )
    conditions = ConditionsField(required=False, help_text=CONDITIONS_HELP)


class KeySerializer(serializers.Serializer[Any]):
    """An API key without its secret."""

    id = serializers.UUIDField()
    owner_id = serializers.UUIDField(help_text=_("The principal it acts as."))
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=_SCOPES))
    expires_at = serializers.DateTimeField()
    conversations = serializers.ListField(
        child=serializers.UUIDField(),
        allow_null=True,
        help_text=_("The only ones it reaches; null: no such limit."),
    )
    networks = serializers.ListField(
        child=serializers.CharField(), help_text=_("The only ones it is taken from; empty: no such limit.")
    )
    state = serializers.ChoiceField(choices=["active", "suspended", "expired", "ended"])
    revoked_at = serializers.DateTimeField(allow_null=True)
    suspended_at = serializers.DateTimeField(
        allow_null=True, help_text=_("Unused for long, so it does not work until somebody reactivates it.")
    )
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_used_address = serializers.IPAddressField(allow_null=True)
    created_at = serializers.DateTimeField()


class KeyQuery(PageQuery):
    """Whose keys to list."""

    everyones = QueryBoolean(required=False, default=False)


class KeyInput(StrictSerializer):
    """A new key; its end is required."""

    name = CleanText(max_length=80)
    scopes = serializers.ListField(child=CleanText(max_length=40), max_length=len(KEY_SCOPES))
    expires_at = serializers.DateTimeField(help_text=_("At most {days} days away.").format(days=LONGEST_DAYS))
    owner_id = serializers.UUIDField(required=False)
    conversations = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=MOST_CONVERSATIONS,
        help_text=_(
            "The only ones it reaches, with reading and writing and nothing else; left out: no such limit."
        ),
    )
    networks = serializers.ListField(
        child=CleanText(max_length=43),
        default=list,
        max_length=MOST_NETWORKS,
        help_text=_("The only ones it is taken from, such as 192.0.2.0/24; empty: no such limit."),
    )


class KeyRotation(StrictSerializer):
    """How long the old key goes on working."""

    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=int(LONGEST_OVERLAP.total_seconds() // 3600), default=24
    )


class IssuedKeySerializer(serializers.Serializer[Any]):
    """A new key with its secret, shown once."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    secret = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=_SCOPES))
    expires_at = serializers.DateTimeField()


class MeSerializer(serializers.Serializer[Any]):
    """The caller: account, seat and rights."""

    id = serializers.UUIDField()
    member_id = serializers.UUIDField()
    kind = serializers.CharField()
    organization = OrganizationSerializer()
    name = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()
    email = serializers.EmailField(allow_null=True)
    avatar_file_id = serializers.UUIDField(allow_null=True)
    language = serializers.CharField()
    theme = serializers.ChoiceField(choices=THEMES)
    role = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    key_scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)


class MeChange(StrictSerializer):
    """What callers can change of themselves."""

    name = CleanText(max_length=80, required=False)
    title = CleanText(max_length=80, required=False, allow_blank=True)
    about = CleanText(max_length=300, required=False, allow_blank=True)
    language = CleanText(max_length=5, required=False, allow_blank=True)
    theme = CleanText(max_length=6, required=False)


class SessionSerializer(serializers.Serializer[Any]):
    """A signed-in browser."""

    id = serializers.CharField()
    address = serializers.IPAddressField()
    user_agent = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    is_current = serializers.BooleanField()


@cache  # one shape has one name in the schema
def page_of(item: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """Return the shape of a list answer."""
    name = item.__name__.removesuffix("Serializer") + "PageSerializer"
    return type(
        name,
        (serializers.Serializer,),
        {
            "results": item(many=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
        },
    )
