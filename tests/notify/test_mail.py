"""Mail about notifications, and answers to it: batched, never of what was read, posted as whom it was sent to."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO, TextIOWrapper

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.test import Client

from apps.accounts.models import User
from apps.accounts.types import Principal
from apps.chat.models import Attachment, Message
from apps.chat.services import members, messages, moderation, moving, notifying, reading, topics
from apps.chat.types import ReportReason
from apps.core import tenancy
from apps.core.models import AuditEntry
from apps.notify.errors import (
    MailAutomatic,
    MailEmpty,
    MailTooLarge,
    MailTooManyFiles,
    MailUnreadable,
    ReplyAddressUnknown,
    SenderForeign,
)
from apps.notify.models import Delivery
from apps.notify.services import dispatching, preferences, receiving
from apps.notify.services.mail_text import text_of, without_quotes
from tests.chat.world import World
from tests.notify.telling import log_of, mention, told

NOW = datetime(2026, 12, 2, 10, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture(autouse=True)
def _answers_are_taken(settings: object) -> None:
    configuration = settings.CONFIGURATION  # type: ignore[attr-defined]
    notification = configuration.notification.model_copy(
        update={"mail_reply_address": "reply@chat.example.org"}
    )
    settings.CONFIGURATION = dataclasses.replace(configuration, notification=notification)  # type: ignore[attr-defined]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def deliver(
    clock: time_machine.Traveller, person: Principal, *, after: timedelta = timedelta(minutes=2)
) -> int:
    clock.shift(after)
    return dispatching.deliver_to(person.id)


def address_of(person: Principal) -> str:
    return str(User.objects.get(pk=person.id).email)


def answer(to: str, sender: str, body: str = "Yes, I do.", **headers: str) -> bytes:
    named = {"Message-ID": "<one@home.example>", "Subject": "Re: x"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = [
        f"From: Somebody <{sender}>",
        f"To: {to}",
        *(f"{name}: {value}" for name, value in named.items()),
    ]
    return "\r\n".join([*lines, "", body, ""]).encode()


@pytest.fixture
def sent(world: World, clock: time_machine.Traveller) -> tuple[Principal, str]:
    """Ben was mentioned and mailed; return him and the reply address."""
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    told(world.say(ada, channel, f"{mention(ben)} do you come?").id)
    deliver(clock, ben)
    return ben, mail.outbox[0].reply_to[0]


def test_several_of_one_conversation_are_one_mail(world: World, clock: time_machine.Traveller) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    for words in ("first", "second"):
        told(world.say(ada, channel, f"{mention(ben)} {words} <b>").id)
    assert deliver(clock, ben, after=timedelta(minutes=1)) == 0
    deliver(clock, ben, after=timedelta(minutes=1))
    (letter,) = mail.outbox
    assert letter.subject == "2 new in #allgemein"
    assert letter.to == [address_of(ben)]
    assert "first <b>" in letter.body
    assert "second <b>" in letter.body
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert set(Delivery.objects.filter(channel="mail").values_list("state", flat=True)) == {"sent"}
    assert dispatching.deliver_to(ben.id) == 0
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("wish", "subject", "heading"),
    [
        ("soon", "Eine Nachricht wurde gemeldet, 3-mal", ""),
        ("daily", "Nordlicht: 3 Sachen für Sie", "Eine Nachricht wurde gemeldet\n"),
    ],
)
def test_reports_of_many_messages_are_one_mail_in_the_readers_language(
    world: World, clock: time_machine.Traveller, wish: str, subject: str, heading: str
) -> None:
    ada, ben, mod = world.person("Ada"), world.person("Ben"), world.person("Mod", "moderator")
    User.objects.filter(pk=mod.id).update(language="de")
    preferences.change(mod, mail=wish)
    for name in ("eins", "zwei", "drei"):
        said = world.say(ada, world.channel(ada, name, [ben]))
        moderation.report_message(principal=ben, message_id=said.id, reason=ReportReason.SPAM)
        notifying.tell_of_report(message_id=said.id, reporter_id=ben.id)
    deliver(clock, mod, after=timedelta(days=1))
    (letter,) = mail.outbox
    assert letter.subject == subject
    assert letter.body.startswith(heading + "Eine Nachricht wurde gemeldet, 2026-12-02")
    assert letter.body.count("Spam oder Werbung") == 3
    assert "Spam or" not in letter.body


@pytest.mark.parametrize("what", ["read", "deleted", "left"])
def test_what_was_read_deleted_or_lost_meanwhile_is_not_mailed(
    world: World, clock: time_machine.Traveller, what: str
) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "geheim", [ben], is_private=True)
    one = world.say(ada, channel, mention(ben))
    told(one.id)
    {
        "read": lambda: reading.move_marker(principal=ben, conversation_id=channel, sequence=one.sequence),
        "deleted": lambda: messages.delete_message(principal=ada, message_id=one.id),
        "left": lambda: members.remove_person(principal=ada, conversation_id=channel, person_id=ben.id),
    }[what]()
    deliver(clock, ben)
    assert mail.outbox == []
    assert log_of(ben)["mail"] == {"read": "read", "deleted": "gone", "left": "gone"}[what]


def test_a_digest_comes_once_at_its_time_in_the_persons_zone(
    world: World, clock: time_machine.Traveller
) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    preferences.change(ben, mail="daily", digest_minute=8 * 60, time_zone="Europe/Berlin")
    for name in ("eins", "zwei"):
        told(world.say(ada, world.channel(ada, name, [ben]), mention(ben)).id)
    assert set(Delivery.objects.filter(channel="mail").values_list("due_at", flat=True)) == {
        datetime(2026, 12, 3, 7, 0, tzinfo=UTC)
    }
    assert deliver(clock, ben, after=timedelta(hours=20)) == 0
    deliver(clock, ben, after=timedelta(hours=1))
    (letter,) = mail.outbox
    assert letter.subject == "Nordlicht: 2 things for you"
    assert "#eins" in letter.body
    assert letter.reply_to == []


def test_without_content_a_mail_says_only_that_there_is_something(
    world: World, clock: time_machine.Traveller
) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    preferences.change(ben, push_content=False)
    told(world.say(ada, world.channel(ada, "allgemein", [ben]), f"{mention(ben)} secretword").id)
    deliver(clock, ben)
    assert "secretword" not in mail.outbox[0].body


def test_a_mail_server_that_is_away_is_tried_again_and_given_up_at_last(
    world: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    told(world.say(ada, world.channel(ada, "allgemein", [ben]), mention(ben)).id)

    def away(_self: object, _messages: object) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", away)
    tries = [deliver(clock, ben, after=timedelta(hours=2)) for _ in range(7)]
    assert tries == [1, 1, 1, 1, 1, 1, 0]
    line = Delivery.objects.get(channel="mail")
    assert (line.state, line.outcome, line.detail) == ("failed", "unreachable", "ConnectionRefusedError")


def test_one_click_ends_the_mail_and_a_changed_token_does_nothing(
    world: World, clock: time_machine.Traveller
) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    told(world.say(ada, channel, mention(ben)).id)
    deliver(clock, ben)
    link = re.sub(r"^<https?://[^/]+|>$", "", mail.outbox[0].extra_headers["List-Unsubscribe"])
    with tenancy.nobody():
        assert Client().post(link[:-3] + "xy/").status_code == 404
        assert Client().get(link).status_code == 200
        assert Client().post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    told(world.say(ada, channel, f"{mention(ben)} again").id)
    assert deliver(clock, ben, after=timedelta(hours=1)) == 0
    assert len(mail.outbox) == 1


def test_an_answer_is_posted_once_as_the_person_without_what_it_quotes(sent: tuple[Principal, str]) -> None:
    ben, reply_to = sent
    raw = answer(
        reply_to, address_of(ben), "Yes, gladly.\n\nOn Wed, 2 Dec 2026, Ada wrote:\n> do you come?\n"
    )
    posted = receiving.receive(raw)
    assert receiving.receive(raw) == posted
    message = Message.objects.get(pk=posted)
    assert (message.sender_id, message.body) == (ben.id, "Yes, gladly.")
    assert Message.objects.count() == 2


def test_an_answer_goes_to_the_topic_of_what_it_answers(world: World, clock: time_machine.Traveller) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    asked = world.say(ada, channel, f"{mention(ben)} when?", topic="Ferry")
    told(asked.id)
    deliver(clock, ben)
    (reply_to,) = mail.outbox[0].reply_to
    topics.rename_topic(principal=ada, topic_id=Message.objects.get(pk=asked.id).topic_id, name="Ferries")
    posted = Message.objects.get(pk=receiving.receive(answer(reply_to, address_of(ben), "At ten.")))
    assert posted.topic is not None
    assert posted.topic.name == "Ferries"
    # in another channel now, which the person may not even see: it is answered where it was told
    other = world.channel(ada, "andere", is_private=True)
    moving.move_messages(principal=ada, message_id=asked.id, conversation_id=other)
    again = answer(reply_to, address_of(ben), "Or at eleven.", Message_ID="<two@home.example>")
    late = Message.objects.get(pk=receiving.receive(again))
    assert (late.conversation_id, late.topic) == (channel, None)


def test_an_answer_may_bring_files(sent: tuple[Principal, str]) -> None:
    ben, reply_to = sent
    body = (
        '--x\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n--x\r\nContent-Type: text/plain; name="plan.txt"\r\n'
        'Content-Disposition: attachment; filename="plan.txt"\r\n\r\nthe plan\r\n--x--\r\n'
    )
    raw = answer(reply_to, address_of(ben), body, Content_Type='multipart/mixed; boundary="x"')
    posted = receiving.receive(raw)
    assert Attachment.objects.filter(message_id=posted).count() == 1


def test_an_answer_with_too_many_files_is_refused_as_a_whole(sent: tuple[Principal, str]) -> None:
    ben, reply_to = sent
    part = '--x\r\nContent-Type: text/plain\r\nContent-Disposition: {}; filename="{}.txt"\r\n\r\nthe plan\r\n'
    signs = "".join(part.format("inline", f"sign{number}") for number in range(5))

    def raw(files: int, name: str) -> bytes:
        body = signs + "".join(part.format("attachment", number) for number in range(files)) + "--x--\r\n"
        kind = 'multipart/mixed; boundary="x"'
        return answer(reply_to, address_of(ben), body, Content_Type=kind, Message_ID=f"<{name}@home.example>")

    with pytest.raises(MailTooManyFiles):
        receiving.receive(raw(11, "many"))
    assert Message.objects.count() == 1
    posted = receiving.receive(raw(10, "ten"))
    assert Attachment.objects.filter(message_id=posted).count() == 10


def test_an_answer_only_in_html_is_read_as_text(sent: tuple[Principal, str]) -> None:
    ben, reply_to = sent
    html = "<p>Yes &amp; <b>no</b></p><script>alert(1)</script><blockquote>do you come?</blockquote>"
    posted = receiving.receive(answer(reply_to, address_of(ben), html, Content_Type="text/html"))
    assert Message.objects.get(pk=posted).body == "Yes & no"


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"Auto_Submitted": "auto-replied"}, MailAutomatic),
        ({"Precedence": "bulk"}, MailAutomatic),
        ({"List_Id": "<talk.example.org>"}, MailAutomatic),
        ({"Return_Path": "<>"}, MailAutomatic),
        ({"Content_Type": 'multipart/report; boundary="x"'}, MailAutomatic),
    ],
)
def test_programs_are_not_answered(
    sent: tuple[Principal, str], headers: dict[str, str], refusal: type[Exception]
) -> None:
    ben, reply_to = sent
    with pytest.raises(refusal):
        receiving.receive(answer(reply_to, address_of(ben), **headers))
    assert Message.objects.count() == 1


def test_somebody_else_cannot_use_the_address_and_the_trail_says_so(
    sent: tuple[Principal, str], django_capture_on_commit_callbacks: object
) -> None:
    _ben, reply_to = sent
    with pytest.raises(SenderForeign):
        receiving.receive(answer(reply_to, "eve@example.org"))
    assert Message.objects.count() == 1


@pytest.mark.parametrize("change", ["reply+aaaa@chat.example.org", "flip", "elsewhere@example.org"])
def test_an_address_that_was_changed_leads_nowhere(sent: tuple[Principal, str], change: str) -> None:
    ben, reply_to = sent
    local, _, host = reply_to.partition("@")
    flipped = f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{host}"
    with pytest.raises(ReplyAddressUnknown):
        receiving.receive(answer(flipped if change == "flip" else change, address_of(ben)))


def test_an_address_ends_after_its_days_and_with_the_seat(
    sent: tuple[Principal, str], clock: time_machine.Traveller
) -> None:
    ben, reply_to = sent
    clock.shift(timedelta(days=14))
    with pytest.raises(ReplyAddressUnknown):
        receiving.receive(answer(reply_to, address_of(ben)))


def test_where_the_mail_server_checks_senders_only_what_it_proved_counts(
    sent: tuple[Principal, str], settings: object
) -> None:
    ben, reply_to = sent
    configuration = settings.CONFIGURATION  # type: ignore[attr-defined]
    notification = configuration.notification.model_copy(update={"mail_authserv_id": "mx.example.org"})
    settings.CONFIGURATION = dataclasses.replace(configuration, notification=notification)  # type: ignore[attr-defined]
    for said in ("mx.example.org; dmarc=fail", "mx.evil.example; dmarc=pass", "mx.example.org; x-dmarc=pass"):
        with pytest.raises(SenderForeign):
            receiving.receive(answer(reply_to, address_of(ben), Authentication_Results=said))
    proved = answer(
        reply_to, address_of(ben), Authentication_Results="mx.example.org; spf=pass; dmarc=pass (p=none)"
    )
    assert receiving.receive(proved)


def test_empty_unreadable_and_huge_mails_are_refused(sent: tuple[Principal, str]) -> None:
    ben, reply_to = sent
    with pytest.raises(MailEmpty):
        receiving.receive(answer(reply_to, address_of(ben), "\n> only a quote\n"))
    with pytest.raises(MailUnreadable):
        receiving.receive(b"\x00\xff\x00")
    with pytest.raises(MailTooLarge):
        receiving.receive(answer(reply_to, address_of(ben), "x" * (26 * 1024 * 1024)))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ja.\n\nAm Mi., 2. Dez. 2026 um 10:00 Uhr schrieb Ada <a@b.c>:\n> kommst du?", "Ja."),
        ("Ja.\n--- Write your answer above this line ---\nrest", "Ja."),
        ("Ja.\n-- \nBen\nFirma", "Ja."),
        ("Ja.\nVon meinem iPhone gesendet", "Ja."),
        ("Ja.\n\n-----Original Message-----\nFrom: x", "Ja."),
        ("Ja.\n\nVon: Ada\nGesendet: Mittwoch\nAn: Ben", "Ja."),
        ("> quoted\n\nmy answer below", "> quoted\n\nmy answer below"),
        ("On time.\nWe wrote: nothing", "On time.\nWe wrote: nothing"),
    ],
)
def test_quotes_and_signatures_are_cut(text: str, kept: str) -> None:
    assert without_quotes(text) == kept


def test_html_keeps_lines_and_drops_what_programs_quote() -> None:
    html = '<div>one<br>two</div><div class="gmail_quote"><p>old<br></div><p>three</p><style>p{}</style>'
    assert text_of(html) == "one\ntwo\n\nthree"


def test_the_command_answers_what_mail_servers_understand(
    sent: tuple[Principal, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ben, reply_to = sent

    def feed(raw: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(raw)))

    feed(answer("undisclosed@example.org", address_of(ben)))
    call_command("receive_mail", recipient=reply_to)
    assert '"code": "posted"' in capsys.readouterr().out
    feed(answer(reply_to, "eve@example.org", Message_ID="<two@home.example>"))
    with pytest.raises(SystemExit) as ended:
        call_command("receive_mail")
    assert ended.value.code == 65
    assert "notify.sender_foreign" in capsys.readouterr().err
    assert AuditEntry.objects.filter(action="notify.reply_refused").count() == 1
