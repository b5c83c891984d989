"""Forms of chat pages. They check the shape; services decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.types import PersonView
from apps.chat.services.polls import NewPoll
from apps.chat.types import BODY_LIMIT, TOPIC_LIMIT, ConversationView, ReportReason, TopicView

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def _purpose() -> forms.CharField:
    return forms.CharField(
        label=_("Purpose"),
        max_length=250,
        required=False,
        help_text=_("One line under the name: what belongs here."),
    )


class ChannelForm(forms.Form):
    """Name, purpose and audience of a channel."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("For example a subject, a team or a place.")
    )
    description = _purpose()
    is_private = forms.BooleanField(label=_("Private: only people who are added can see it"), required=False)

    def __init__(self, *args: Any, may_be_public: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_be_public:
            self.fields["is_private"].initial = True
            self.fields["is_private"].disabled = True


class SettingsForm(ChannelForm):
    """What a channel is, and who writes in it."""

    who_posts = forms.ChoiceField(
        label=_("Who posts"),
        choices=[("everyone", _("Every member")), ("announcers", _("Announcers only"))],
        help_text=_("Announcers run the channel, or have the right by a role, everywhere or here."),
        required=False,
    )
    takes_replies = forms.BooleanField(
        label=_("Where only announcers post: the others may reply in threads"), required=False
    )


class PurposeForm(forms.Form):
    """What belongs in a channel, for members who do not manage it."""

    description = _purpose()


class ConvertForm(forms.Form):
    """The name a group conversation gets as a channel."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("History and people stay; it is private.")
    )


class RoleForm(forms.Form):
    """A role in one channel for a member or a group of people."""

    whose = forms.ChoiceField(label=_("Who"))
    role = forms.ChoiceField(label=_("Role"))

    def __init__(
        self, *args: Any, roles: list[tuple[str, str]], whose: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("whose", whose), ("role", roles)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
            field.choices = choices


class PeopleForm(forms.Form):
    """A choice of people, each once."""

    people = forms.TypedMultipleChoiceField(
        label=_("People"), coerce=UUID, widget=forms.CheckboxSelectMultiple(attrs={"class": "check"})
    )

    def __init__(self, *args: Any, choices: Sequence[PersonView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["people"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [(str(person.id), person.name) for person in choices]


PRIORITIES = [("", _("Normal")), ("important", _("Important")), ("urgent", _("Urgent"))]


def _topic(help_text: str | _StrPromise) -> forms.CharField:
    widget = forms.TextInput(attrs={"list": "composer-topics", "autocomplete": "off"})
    return forms.CharField(
        label=_("Topic"), max_length=TOPIC_LIMIT, required=False, help_text=help_text, widget=widget
    )


class InTopicForm(forms.Form):
    """What goes into a topic of a channel; elsewhere there is none."""

    topic = _topic(_("Empty: the general topic."))

    def __init__(self, *args: Any, takes_topic: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not takes_topic:
            del self.fields["topic"]


class SendForm(forms.Form):
    """A message without a script. The client key makes a double click harmless."""

    body = forms.CharField(max_length=BODY_LIMIT + 1000, required=False, strip=False)
    client_key = forms.CharField(max_length=64)
    thread = forms.UUIDField(required=False)
    topic = forms.CharField(max_length=200, required=False)
    priority = forms.ChoiceField(choices=PRIORITIES, required=False)
    confirm_mass_mention = forms.BooleanField(required=False)


class TopicForm(forms.Form):
    """The name of a topic."""

    name = forms.CharField(label=_("Name"), max_length=TOPIC_LIMIT)


class MergeForm(forms.Form):
    """The topic that takes all messages of another."""

    into = forms.TypedChoiceField(label=_("Merge into"), coerce=UUID)

    def __init__(self, *args: Any, choices: list[TopicView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["into"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared above
        field.choices = [(str(topic.id), topic.name) for topic in choices]


class MoveForm(forms.Form):
    """Which messages go where."""

    span = forms.ChoiceField(
        label=_("What moves"),
        choices=[
            ("message", _("This message and its replies")),
            ("later", _("Everything in its topic from here on")),
            ("topic", _("All of its topic")),
        ],
        initial="message",
    )
    conversation = forms.TypedChoiceField(label=_("Channel"), coerce=UUID)
    topic = _topic(_("Empty: the general topic."))

    def __init__(self, *args: Any, channels: list[ConversationView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["conversation"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared above
        field.choices = [(str(channel.id), channel.name) for channel in channels]


class EditForm(forms.Form):
    """A message's new text; `version` is the one the editor saw."""

    body = forms.CharField(
        label=_("Text"), max_length=BODY_LIMIT + 1000, strip=False, widget=forms.Textarea(attrs={"rows": 6})
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
    confirm_mass_mention = forms.BooleanField(required=False, widget=forms.HiddenInput)


class BookmarkForm(forms.Form):
    """A link and what it is called."""

    url = forms.CharField(label=_("Address"), max_length=2000)
    title = forms.CharField(label=pgettext_lazy("of a bookmark", "Title"), max_length=100, required=False)


class ForwardForm(forms.Form):
    """Where a copy goes, and a word to it. The client key makes a double click harmless."""

    conversation = forms.TypedChoiceField(label=_("To"), coerce=UUID)
    topic = _topic(_("In a channel; empty: the general topic."))
    comment = forms.CharField(
        label=_("Comment"), max_length=BODY_LIMIT, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    client_key = forms.UUIDField(widget=forms.HiddenInput)
    confirm_mass_mention = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, choices: list[ConversationView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["conversation"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared above
        field.choices = [(str(one.id), one.name) for one in choices]


def _moment(label: str | _StrPromise) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(
        label=label, widget=widget, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )


class FilesField(forms.Field):
    """Ids of uploaded files."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> tuple[UUID, ...]:
        """Return them in their order."""
        one = forms.UUIDField()
        return tuple(one.clean(each) for each in value or ())


class ScheduleForm(InTopicForm):
    """A message and its time, on the writer's clock."""

    body = forms.CharField(
        label=_("Text"),
        max_length=BODY_LIMIT + 1000,
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    attachments = FilesField(required=False)
    priority = forms.ChoiceField(label=_("Priority"), choices=PRIORITIES, required=False)
    send_at = _moment(_("Send at"))
    thread = forms.UUIDField(required=False, widget=forms.HiddenInput)
    confirm_mass_mention = forms.BooleanField(
        label=_("I mean to call everyone whom @all or @here reaches then"), required=False
    )


class ReminderForm(forms.Form):
    """When to be reminded, of what, and how often, on one's own clock."""

    due_at = _moment(_("When"))
    note = forms.CharField(label=_("Note"), max_length=500, required=False)
    repeat = forms.ChoiceField(
        label=_("Again"),
        required=False,
        choices=[
            ("", _("once")),
            ("daily", _("every day")),
            ("weekdays", _("Monday to Friday")),
            ("weekly", _("every week")),
            ("monthly", _("every month")),
        ],
    )


class PollForm(InTopicForm):
    """A question and its answers, one a line."""

    question = forms.CharField(label=_("Question"), max_length=300)
    options = forms.CharField(
        label=_("Answers"), help_text=_("One a line, 2 to 20."), widget=forms.Textarea(attrs={"rows": 4})
    )
    is_multiple = forms.BooleanField(label=_("Several answers may be chosen"), required=False)
    is_anonymous = forms.BooleanField(label=_("Anonymous: only counts are shown"), required=False)
    client_key = forms.UUIDField(widget=forms.HiddenInput)

    def poll(self) -> NewPoll:
        """Return what was asked."""
        data = self.cleaned_data
        return NewPoll(
            question=data["question"],
            options=data["options"].splitlines(),
            is_multiple=data["is_multiple"],
            is_anonymous=data["is_anonymous"],
        )


class CommandForm(forms.Form):
    """A line that begins with a slash."""

    line = forms.CharField(max_length=BODY_LIMIT)
    client_key = forms.CharField(max_length=64)
    thread = forms.UUIDField(required=False)
    topic = forms.CharField(max_length=200, required=False)
    confirm_mass_mention = forms.BooleanField(required=False)


class SequenceForm(forms.Form):
    """How far someone has read."""

    sequence = forms.IntegerField(min_value=0, max_value=(1 << 62))


class DraftForm(forms.Form):
    """Unsent text."""

    body = forms.CharField(max_length=BODY_LIMIT + 1000, required=False, strip=False)
    thread = forms.UUIDField(required=False)
    topic = forms.CharField(max_length=200, required=False)


class StatusForm(forms.Form):
    """What one is doing, until when, and what others see of it."""

    ENDS = (
        ("30", _("30 minutes")),
        ("60", _("1 hour")),
        ("240", _("4 hours")),
        ("today", _("Today")),
        ("week", _("This week")),
        ("", _("Until I change it")),
    )

    emoji = forms.CharField(label=_("Emoji"), max_length=32, required=False)
    text = forms.CharField(label=_("What are you doing?"), max_length=100, required=False)
    ends = forms.ChoiceField(label=_("Until"), choices=ENDS, required=False, initial="60")
    is_away = forms.BooleanField(label=_("Show me as away"), required=False)
    is_undisturbed = forms.BooleanField(
        label=_("Do not disturb"), required=False, help_text=_("No push messages until then.")
    )


class SharingForm(forms.Form):
    """What others see of a person, or of everybody in an organization."""

    shows_presence = forms.BooleanField(label=_("Show others whether I am here"), required=False)
    shows_typing = forms.BooleanField(label=_("Show others when I am writing"), required=False)


class ReportForm(forms.Form):
    """Why a message is reported."""

    reason = forms.ChoiceField(label=_("What is wrong"), choices=ReportReason.choices)
    note = forms.CharField(
        label=_("Note for the moderators"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Moderators see the message, your name and this note. The author is not told who reported it."
        ),
    )


class RetentionForm(forms.Form):
    """After how many days messages of a channel, or of all conversations, end."""

    place = forms.ChoiceField(label=_("Where"), required=False)
    days = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=36_500,
        required=False,
        help_text=_("Older messages are emptied. Leave it open to keep messages for ever."),
    )
    file_days = forms.IntegerField(
        label=_("Days for files"),
        min_value=1,
        max_value=36_500,
        required=False,
        help_text=_(
            "Older files are deleted, and their messages stay. Leave it open to keep files as long as those."
        ),
    )
    keeps_marked = forms.BooleanField(label=_("Keep what is pinned or saved by somebody"), required=False)

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = self.fields["place"]
        if isinstance(place, forms.ChoiceField):
            place.choices = [("", _("All conversations without a rule of their own")), *places]
