"""Forms of the notification settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.notify.types import LEVELS, MOST_QUIET, PreferencesView, QuietTime

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
    """One span of quiet hours for chosen weekdays."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"), coerce=int, choices=list(enumerate(DAYS)), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    since = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    until = forms.TimeField(
        label=_("Until"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Before “from” it ends on the next day."),
    )  # fmt: skip

    def times(self) -> list[QuietTime]:
        """Return the hours."""
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        return [
            QuietTime(weekday=day, since=since.hour * 60 + since.minute, until=until.hour * 60 + until.minute)
            for day in self.cleaned_data["weekdays"]
        ]


class QuietForms(forms.BaseFormSet[QuietForm]):
    """All quiet hours: a form for each span, and one to add another."""

    @classmethod
    def of(cls, wishes: PreferencesView, sent: QueryDict | None = None) -> QuietForms:
        """Return the forms as the wishes are, or what was sent of them."""
        spans: dict[tuple[int, int], list[int]] = {}
        for quiet in wishes.quiet:
            spans.setdefault((quiet.since, quiet.until), []).append(quiet.weekday)
        initial = [
            {"weekdays": days, "since": clock(since), "until": clock(until)}
            for (since, until), days in spans.items()
        ]
        return _quiet_forms(sent, prefix="quiet", initial=[*initial, {"since": "20:00", "until": "07:00"}])

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """No form may be left without its times, however many somebody says there were before."""
        return {**super().get_form_kwargs(index), "empty_permitted": False}

    def clean(self) -> None:
        """Take as many as are kept."""
        if not any(self.errors) and len(self.times()) > MOST_QUIET:
            raise forms.ValidationError(
                _("At most %(most)s quiet times, each day of a span counts."),
                code="max_length",
                params={"most": MOST_QUIET},
            )

    def times(self) -> list[QuietTime]:
        """Return the hours of all spans, each once; a span without a day is none."""
        return sorted(
            {time for form in self.forms for time in form.times()},
            key=lambda time: (time.weekday, time.since, time.until),
        )


_quiet_forms = cast(
    "type[QuietForms]",
    forms.formset_factory(QuietForm, formset=QuietForms, extra=0, max_num=MOST_QUIET + 1),
)


def clock(minute: int) -> str:
    """Return a minute of the day as a clock shows it."""
    return f"{minute // 60:02}:{minute % 60:02}"
