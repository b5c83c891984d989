"""What the mechanisms keep about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_impersonal, register_subject_data
from apps.core.services import erasing, written_mail

_LOGS = ("core_event", "core_eventoutbox", "core_eventfeed")

register_subject_data(
    SubjectData(
        name="core.events",
        label=_("Event log"),
        fate=Fate.ANONYMIZE,
        why=_("Own texts, name and ids are taken out of events; their numbers stay without a gap. Events of the "
              "person's own stream are deleted."),
        order=80,
        links=(*(f"{log}.{column}" for log in _LOGS for column in ("actor_id", "stream_id")), "core_stream.id"),
        shared=tuple(f"{log}.payload" for log in _LOGS),
        count=erasing.count_events,
        erase=erasing.erase_events,
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="core.dead_letters",
        label=_("Events a consumer gave up on"),
        fate=Fate.ANONYMIZE,
        why=_("Like the event log; their error texts are deleted."),
        order=81,
        shared=("core_deadletter.event", "core_deadletter.error", "core_consumer.last_error"),
        count=erasing.count_dead_letters,
        erase=erasing.erase_dead_letters,
    )
)
register_subject_data(
    SubjectData(
        name="core.retry_keys",
        label=_("Kept answers of repeated requests"),
        fate=Fate.DELETE,
        why=_("Deleted."),
        order=82,
        links=("core_retrykey.principal_id",),
        shared=("core_retrykey.body",),
        count=erasing.count_retry_keys,
        erase=erasing.erase_retry_keys,
    )
)
register_subject_data(
    SubjectData(
        name="core.flags",
        label=_("Feature flags"),
        fate=Fate.DELETE,
        why=_("The person is taken off their lists."),
        order=83,
        links=("core_featureflag.people_on", "core_featureflag.people_off"),
        count=erasing.count_flags,
        erase=erasing.erase_flags,
    )
)
register_subject_data(
    SubjectData(
        name="core.redis",
        label=_("Presence, limits and other keys in Redis"),
        fate=Fate.DELETE,
        why=_("Deleted; they would end by themselves within an hour."),
        order=88,
        count=erasing.count_redis,
        erase=erasing.erase_redis,
    )
)
register_subject_data(
    SubjectData(
        name="core.mail",
        label=_("Mail written to files"),
        fate=Fate.DELETE,
        why=_("Files with mail to the person's address are deleted where the account goes."),
        order=89,
        count=written_mail.count_mail,
        erase=written_mail.erase_mail,
    )
)
register_impersonal("cursors of the house", "core_consumer")
register_impersonal("of the organization: names of hosts", "core_outboundhost")
register_impersonal(
    "made by Django, without people", "django_migrations", "django_content_type", "auth_permission", "auth_group",
    "auth_group_permissions",
)  # fmt: skip
