"""Start-up of the mechanisms."""

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        """Wall every connection; load what each app announces; grant the runtime roles after a migration."""
        from apps.core import faults, palette_sources, tenancy  # noqa: PLC0415 - models must be loaded first
        from apps.core.services import database_roles  # noqa: PLC0415

        if settings.CONFIGURATION.server.process in ("web", "worker", "relay"):
            faults.install()
        connection_created.connect(tenancy.install, dispatch_uid="core.tenancy")
        pre_migrate.connect(
            database_roles.require_passing_owner, sender=self, dispatch_uid="core.passing_owner"
        )
        post_migrate.connect(database_roles.grant_after_migrate, sender=self, dispatch_uid="core.grants")
        palette_sources.announce()
        autodiscover_modules(
            "actions", "events", "handlers", "cards", "commands", "console", "palette", "steps", "privacy", "operators"
        )  # fmt: skip
