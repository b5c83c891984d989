"""Forms of the notification settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.notify.types import LEVELS, PreferencesView, QuietTime

if TYPE_CHECKING:
    from django.http import QueryDict

DAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
MAILS = (
    ("soon", _("Soon, when I have not read it")),
    ("daily", _("Once a day")),
    ("weekly", _("Once a week")),
    ("off", _("Never")),
)


_FOLLOWING = frozenset({"level", "mail", "push_content"})  # what an organization decides for who did not


class WishesForm(forms.Form):
    """What is told, by mail how often, by push or not."""

    level = forms.ChoiceField(
        label=_("In conversations I hear of"), choices=list(LEVELS.items()),
        help_text=_("A conversation or thread can have its own level."),
    )  # fmt: skip
    mail = forms.ChoiceField(label=_("Mail"), choices=MAILS)
    digest_at = forms.TimeField(
        label=_("Time of the digest"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    digest_weekday = forms.TypedChoiceField(
        label=_("Day of the weekly digest"), coerce=int, choices=list(enumerate(DAYS))
    )
    has_push = forms.BooleanField(label=_("Push messages to my browsers"), required=False)
    push_content = forms.BooleanField(
        label=_("Mail and push messages say what was written"), required=False,
        help_text=_("Without it they only say that there is something new."),
    )  # fmt: skip

    @classmethod
    def of(cls, wishes: PreferencesView, sent: QueryDict | None = None) -> WishesForm:
        """Return the form as the wishes are, or what was sent of them."""
        return cls(
            sent,
            initial={
                "level": wishes.level, "mail": wishes.mail, "digest_at": clock(wishes.digest_minute),
                "digest_weekday": wishes.digest_weekday, "has_push": wishes.has_push,
                "push_content": wishes.push_content,
            },
        )  # fmt: skip

    def changes(self) -> dict[str, Any]:
        """Return the fields of the row; what was left as the organization has it goes on following the organization."""
        values = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in _FOLLOWING or name in self.changed_data
        }
        at = values.pop("digest_at")
        return {**values, "digest_minute": at.hour * 60 + at.minute}


class QuietForm(forms.Form):
    """Quiet hours: one span for chosen weekdays."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"), coerce=int, choices=list(enumerate(DAYS)), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    since = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    until = forms.TimeField(
        label=_("Until"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Before “from” it ends on the next day."),
    )  # fmt: skip

    @classmethod
    def of(cls, wishes: PreferencesView) -> QuietForm:
        """Return the form as the wishes are."""
        first = wishes.quiet[0] if wishes.quiet else QuietTime(weekday=0, since=20 * 60, until=7 * 60)
        return cls(
            initial={
                "weekdays": [quiet.weekday for quiet in wishes.quiet],
                "since": clock(first.since), "until": clock(first.until),
            }
        )  # fmt: skip

    def times(self) -> list[QuietTime]:
        """Return the hours."""
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        return [
            QuietTime(weekday=day, since=since.hour * 60 + since.minute, until=until.hour * 60 + until.minute)
            for day in sorted(self.cleaned_data["weekdays"])
        ]


def clock(minute: int) -> str:
    """Return a minute of the day as a clock shows it."""
    return f"{minute // 60:02}:{minute % 60:02}"
