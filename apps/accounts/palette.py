"""The own settings, for the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.types import Principal
from apps.core import palette
from apps.core.palette import Target


def _settings(principal: Principal, typed: str) -> Iterator[Target]:  # noqa: ARG001 - few enough to return all
    address = reverse("people:settings", kwargs={"slug": principal.organization_slug})
    yield Target(label=_("Your settings"), url=address, icon="settings")
    yield Target(label=_("Two-step sign-in and passkeys"), url=reverse("factors"), icon="lock")
    yield Target(label=_("Change password"), url=reverse("account_change_password"), icon="lock")
    yield Target(
        label=_("Why can I see this?"),
        url=reverse("why", kwargs={"slug": principal.organization_slug}),
        icon="shield",
    )


palette.register("settings", gettext_lazy("You"), _settings, order=40)
