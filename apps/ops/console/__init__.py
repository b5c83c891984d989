"""The console's shell, its overview, settings, features and status. Other apps add their own pages."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from apps.agents.types import KIND as ANSWER
from apps.core.console_shell import VIEW
from apps.core.registry import register_console_page
from apps.ops.console import encryption, flags, outbound, overview, security, settings, status
from apps.ops.console.common import ENCRYPTION, FLAGS, OUTBOUND, OVERVIEW, SECURITY, SETTINGS, STATUS
from apps.ops.services.key_rotation import KIND as ROTATION
from apps.runs.selectors.naming import register_kind

register_console_page(OVERVIEW, _("Overview"), "console", VIEW, overview.overview, order=10)
register_console_page(
    SETTINGS,
    _("Settings"),
    "settings",
    "settings.view",
    settings.settings,
    order=80,
    routes=[path("mail/<slug:mail_id>/", settings.mail, name="mail")],
)
register_console_page(
    FLAGS,
    _("Features"),
    "filter",
    "flag.manage",
    flags.flags,
    order=85,
    routes=[
        path("new/", flags.new_flag, name="flag-new"),
        path("<slug:key>/", flags.flag, name="flag"),
        path("<slug:key>/change/", flags.change_flag, name="flag-change"),
    ],
)
register_console_page(
    STATUS,
    _("Status"),
    "chart",
    VIEW,
    status.status,
    order=90,
    routes=[path("given-up/<int:letter_id>/", status.settle, name="dead-letter")],
)
register_console_page(
    OUTBOUND,
    _("Outgoing connections"),
    "external",
    "settings.view",
    outbound.hosts,
    order=86,
    routes=[
        path("add/", outbound.add_host, name="outbound-add"),
        path("<uuid:host_id>/remove/", outbound.remove_host, name="outbound-remove"),
    ],
)
register_console_page(
    ENCRYPTION,
    _("Encryption keys"),
    "lock",
    "settings.view",
    encryption.keys,
    order=87,
    routes=[path("rotate/", encryption.rotate, name="encryption-rotate")],
)
register_console_page(SECURITY, _("Security"), "shield", VIEW, security.security, order=89)
register_kind(ROTATION, _("Rotate encryption keys"))
register_kind(ANSWER, _("Answer a question"))
