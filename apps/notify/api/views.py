"""REST of notifications: the caller's own list, wishes and browsers, and what an organization begins with."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import HasOrganization, Requires, SignedInPerson, principal_of
from apps.accounts.errors import PermissionMissing
from apps.accounts.types import Principal
from apps.core.api.paging import NEWEST_FIRST, PageQuery, page_of_list, read_page
from apps.core.api.serializers import validated
from apps.notify.api import serializers as shapes
from apps.notify.selectors import addresses, notifications
from apps.notify.selectors.levels import list_levels
from apps.notify.selectors.preferences import find_standing, get_preferences
from apps.notify.services import noticing, preferences, subscriptions, vapid
from apps.notify.types import QuietTime

NOTHING = OpenApiResponse(description="Done.")


class OwnKey(HasOrganization):
    """Reading needs the key scope `chat:read`, everything else `chat:write`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse visitors and narrow keys.

        Raises:
            NotSignedIn, OrganizationRequired, PermissionMissing.
        """
        super().has_permission(request, view)
        principal = principal_of(request)
        needed = "chat:read" if request.method in SAFE_METHODS else "chat:write"
        if principal.key_scopes is not None and needed not in principal.key_scopes:
            raise PermissionMissing
        return True


class OwnView(APIView):
    """What is the caller's own."""

    permission_classes = [OwnKey]

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return principal_of(self.request)


class NotificationList(OwnView):
    """`me/notifications/`."""

    @extend_schema(
        parameters=[shapes.NotificationQuery],
        responses=shapes.NotificationSerializer(many=True),
        tags=["notifications"],
    )
    def get(self, request: Request) -> Response:
        """List the caller's notifications, newest first, each with the ways it went and why not by others."""
        position, limit, query = read_page(request, notifications.NEWEST, shapes.NotificationQuery)
        page = notifications.list_page(self.principal, position=position, limit=limit, **query)
        logs = notifications.deliveries_of([view.id for view in page.rows])
        results = [notifications.as_json(view, logs.get(view.id, [])) for view in page.rows]
        return Response(page.as_dict(request, results))

    @extend_schema(request=shapes.MarkSerializer, responses=shapes.MarkedSerializer, tags=["notifications"])
    def post(self, request: Request) -> Response:
        """Mark some or all seen, read or unread, on all devices; ids of others are passed over."""
        values = validated(shapes.MarkSerializer(data=request.data))
        changed = noticing.mark(
            self.principal, notifications=values.get("notifications"), state=values["state"]
        )
        return Response({"changed": changed, "unread": notifications.unread_count(self.principal)})


class UnreadCount(OwnView):
    """`me/notifications/unread/`."""

    @extend_schema(responses=shapes.UnreadSerializer, tags=["notifications"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Count what is unread."""
        return Response({"unread": notifications.unread_count(self.principal)})


class NotificationDetail(OwnView):
    """`me/notifications/{id}/`."""

    @extend_schema(responses=shapes.NotificationSerializer, tags=["notifications"])
    def get(self, request: Request, notification_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Show one."""
        view = notifications.get_one(self.principal, notification_id)
        logs = notifications.deliveries_of([notification_id])
        return Response(notifications.as_json(view, logs.get(notification_id, [])))


class OwnPreferences(OwnView):
    """`me/notification-preferences/`."""

    @extend_schema(responses=shapes.PreferencesSerializer, tags=["notifications"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Show what the caller wants to be told."""
        wishes = dataclasses.asdict(get_preferences(self.principal))
        return Response({**wishes, "levels": list_levels(self.principal)})

    @extend_schema(
        request=shapes.PreferencesChange, responses=shapes.PreferencesSerializer, tags=["notifications"]
    )
    def patch(self, request: Request) -> Response:
        """Change it."""
        changes = validated(shapes.PreferencesChange(data=request.data))
        if "quiet" in changes:
            changes["quiet"] = [QuietTime(**one) for one in changes["quiet"]]
        preferences.change(self.principal, **changes)
        return self.get(request)


class OwnLevel(OwnView):
    """`me/notification-preferences/levels/`."""

    @extend_schema(request=shapes.LevelSerializer, responses={204: NOTHING}, tags=["notifications"])
    def put(self, request: Request) -> Response:
        """Follow or mute a conversation or a thread."""
        values = validated(shapes.LevelSerializer(data=request.data))
        preferences.set_level(self.principal, **values)
        return Response(status=204)


class OwnKeywords(OwnView):
    """`me/notification-preferences/keywords/`."""

    @extend_schema(request=shapes.KeywordSerializer, responses={204: NOTHING}, tags=["notifications"])
    def post(self, request: Request) -> Response:
        """Hear of a word; again changes nothing."""
        preferences.add_keyword(self.principal, **validated(shapes.KeywordSerializer(data=request.data)))
        return Response(status=204)

    @extend_schema(request=shapes.KeywordSerializer, responses={204: NOTHING}, tags=["notifications"])
    def delete(self, request: Request) -> Response:
        """Hear of a word no more."""
        preferences.remove_keyword(self.principal, **validated(shapes.KeywordSerializer(data=request.data)))
        return Response(status=204)


class PushKey(OwnView):
    """`me/push-subscriptions/key/`."""

    @extend_schema(responses=shapes.PushKeySerializer, tags=["notifications"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Show the server's public key."""
        return Response({"public_key": vapid.public_key()})


class SubscriptionList(APIView):
    """`me/push-subscriptions/`."""

    permission_classes = [SignedInPerson]

    @extend_schema(
        parameters=[PageQuery], responses=shapes.BrowserSerializer(many=True), tags=["notifications"]
    )
    def get(self, request: Request) -> Response:
        """List the caller's browsers."""
        position, limit, _ = read_page(request, NEWEST_FIRST)
        found = addresses.list_browsers(principal_of(request))
        page = page_of_list(found, order=NEWEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, [dataclasses.asdict(one) for one in page.rows]))

    @extend_schema(
        request=shapes.SubscriptionSerializer,
        responses={201: shapes.SubscribedSerializer},
        tags=["notifications"],
    )
    def post(self, request: Request) -> Response:
        """Send push messages to this browser until its sign-in ends; again takes its new keys."""
        values = validated(shapes.SubscriptionSerializer(data=request.data))
        user_agent = request.headers.get("User-Agent", "")
        made = subscriptions.subscribe(principal_of(request), user_agent=user_agent, **values)
        return Response({"id": made}, status=201)


class SubscriptionDetail(APIView):
    """`me/push-subscriptions/{id}/`."""

    permission_classes = [SignedInPerson]

    @extend_schema(responses={204: NOTHING}, tags=["notifications"])
    def delete(self, request: Request, subscription_id: UUID) -> Response:
        """End one."""
        subscriptions.unsubscribe(principal_of(request), subscription_id=subscription_id)
        return Response(status=204)


class OrganizationStanding(APIView):
    """`notification-defaults/`."""

    permission_classes = [Requires("organization.manage")]

    @extend_schema(responses=shapes.StandingSerializer, tags=["notifications"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Show what everybody begins with."""
        row = find_standing()
        return Response({"level": row.level, "mail": row.mail, "push_content": row.push_content})

    @extend_schema(request=shapes.StandingChange, responses=shapes.StandingSerializer, tags=["notifications"])
    def patch(self, request: Request) -> Response:
        """Change it for all who did not choose themselves."""
        preferences.set_standing(principal_of(request), **validated(shapes.StandingChange(data=request.data)))
        return self.get(request)
