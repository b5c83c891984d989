"""A client of the REST API."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.test import Client

from apps.accounts.models import Member
from tests.accounts.sessions import open_session
from tests.factories.accounts import api_key


class Api:
    """Sends JSON to `/api/v1/` as one member."""

    def __init__(self, client: Client, member: Member | None = None) -> None:
        self.client = client
        self._member = member

    @classmethod
    def by_key(cls, member: Member, *, scopes: list[str] | None = None) -> Api:
        """Return a program with a key of the member."""
        key = api_key(member, scopes=scopes)
        return cls(Client(headers={"Authorization": f"Bearer {key.secret}"}), member)

    @classmethod
    def by_cookie(cls, member: Member) -> Api:
        """Return a browser in which the member is signed in."""
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user)
        return cls(client, member)

    @property
    def member_id(self) -> UUID:
        """The member's id."""
        assert self._member is not None
        return self._member.pk

    @property
    def organization_id(self) -> UUID:
        """The member's organization."""
        assert self._member is not None
        return self._member.organization_id

    def get(self, path: str, **options: Any) -> Any:
        """GET."""
        return self.client.get(f"/api/v1/{path}", **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """POST a JSON body."""
        return self._send("post", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        """PUT a JSON body."""
        return self._send("put", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Any:
        """PATCH a JSON body."""
        return self._send("patch", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        """DELETE."""
        return self.client.delete(f"/api/v1/{path}", **options)

    def _send(self, method: str, path: str, body: Any, **options: Any) -> Any:
        content = json.dumps({} if body is None else body)
        return getattr(self.client, method)(
            f"/api/v1/{path}", content, content_type="application/json", **options
        )
