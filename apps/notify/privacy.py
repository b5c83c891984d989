"""What notifications keep about people, and for how long."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_impersonal, register_subject_data
from apps.core.retention import RetentionRule, register_retention
from apps.notify.selectors import personal
from apps.notify.services import erasing, keeping

register_subject_data(
    SubjectData(
        name="notify.notifications",
        label=_("Notifications and their delivery log"),
        fate=Fate.DELETE,
        why=_("Deleted. In what others were told, nobody is named any more as who caused it."),
        order=25,
        links=("notify_notification.recipient_id", "notify_notification.actor_id"),
        shared=("notify_delivery.detail",),
        count=lambda person: personal.notifications_of(person).count() + personal.acts_of(person).count(),
        export=personal.export_notifications,
        erase=erasing.erase_notifications_of,
    )
)
register_subject_data(
    SubjectData(
        name="notify.wishes",
        label=_("Notification settings and keywords"),
        fate=Fate.DELETE,
        why=_("Deleted."),
        order=26,
        links=(
            "notify_preferences.principal_id", "notify_level.principal_id", "notify_keyword.principal_id",
        ),
        count=lambda person: personal.count_own(personal.WISHES, person),
        export=personal.export_wishes,
        erase=erasing.erase_wishes_of,
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="notify.addresses",
        label=_("Browsers for push messages, reply addresses of mail"),
        fate=Fate.DELETE,
        why=_("Deleted: nothing is sent there any more, and no answer is taken."),
        order=12,
        links=("notify_pushsubscription.principal_id", "notify_replyaddress.principal_id"),
        count=lambda person: personal.count_own(personal.ADDRESSES, person),
        export=personal.export_addresses,
        erase=erasing.erase_addresses_of,
    )
)
register_impersonal("of the server: signs push messages", "notify_pushkey")
register_impersonal("of the organization: what everybody begins with", "notify_standing")
register_retention(
    RetentionRule(
        name="notify.notifications",
        label=_("Notifications and their delivery log"),
        age=timedelta(days=settings.CONFIGURATION.notification.notification_days),
        remove=keeping.remove_old,
    )
)
