"""The console's shell, its overview, settings, features and status. Other apps add their own pages."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from apps.agents.types import KIND as ANSWER
from apps.core.console_shell import VIEW
from apps.core.registry import register_console_page
from apps.ops.console import flags, overview, settings, status
from apps.ops.console.common import FLAGS, OVERVIEW, SETTINGS, STATUS
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
register_kind(ANSWER, _("Answer a question"))
