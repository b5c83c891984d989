"""REST and pages of notifications: own ones only, once for each permission class."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from apps.accounts.models import Member, User
from apps.accounts.services import scopes
from apps.accounts.types import Principal
from apps.chat.models import Conversation, Topic
from apps.chat.services import members, topics
from apps.core.models import AuditEntry
from apps.notify.models import Level, Notification, Preferences, PushSubscription, Standing
from apps.notify.selectors.notifications import unread_count
from apps.notify.services import preferences
from tests.accounts.api import Api
from tests.accounts.sessions import open_session
from tests.chat.world import World
from tests.notify.telling import mention, told
from tests.notify.test_web_push import BROWSER_POINT, SECRET

BROWSER = {"endpoint": "https://push.example.org/abc", "public_key": BROWSER_POINT, "secret": SECRET}


def program(person: Principal, *scopes: str) -> Api:
    return Api.by_key(Member.objects.get(pk=person.member_id), scopes=list(scopes) or None)


def browser(person: Principal) -> Api:
    return Api.by_cookie(Member.objects.select_related("user").get(pk=person.member_id))


@pytest.fixture
def ben(world: World) -> Principal:
    """Somebody who was mentioned twice."""
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    for words in ("first", "second"):
        told(world.say(ada, channel, f"{mention(ben)} {words}").id)
    return ben


def test_the_list_says_what_who_where_and_which_way(ben: Principal) -> None:
    found = program(ben).get("me/notifications/?state=unread&limit=1").json()
    (one,) = found["results"]
    assert (one["title"], one["text"], one["reason"]) == ("Ada in #allgemein", "@Ben second", "mention")
    assert [way["channel"] for way in one["deliveries"]] == ["in_app", "mail", "push"]
    assert found["next"] is not None
    assert program(ben).get(f"me/notifications/{one['id']}/").json() == one


def test_marking_counts_and_passes_over_what_is_anothers(world: World, ben: Principal) -> None:
    eve = world.person("Eve")
    own = str(Notification.objects.order_by("pk")[0].pk)
    assert program(eve).get(f"me/notifications/{own}/").status_code == 404
    assert (
        program(eve).post("me/notifications/", {"state": "read", "notifications": [own]}).json()["changed"]
        == 0
    )
    answer = program(ben).post("me/notifications/", {"state": "read", "notifications": [own, str(uuid4())]})
    assert answer.json() == {"changed": 1, "unread": 1}
    assert program(ben).post("me/notifications/", {"state": "read"}).json() == {"changed": 1, "unread": 0}
    assert program(ben).get("me/notifications/unread/").json() == {"unread": 0}


@pytest.mark.parametrize(
    ("scope", "read", "write"), [("chat:read", 200, 403), ("chat:write", 403, 200), ("search:read", 403, 403)]
)
def test_keys_need_the_scope(ben: Principal, scope: str, read: int, write: int) -> None:
    api = program(ben, scope)
    assert api.get("me/notifications/").status_code == read
    assert api.patch("me/notification-preferences/", {"mail": "off"}).status_code == write
    assert Preferences.objects.exists() is (write == 200)


def test_wishes_are_changed_one_by_one_and_refused_by_name(ben: Principal) -> None:
    api = program(ben)
    quiet = [{"weekday": 4, "since": 1320, "until": 420}]
    changed = api.patch(
        "me/notification-preferences/", {"mail": "daily", "quiet": quiet, "time_zone": "Europe/Berlin"}
    ).json()
    assert (changed["mail"], changed["quiet"], changed["level"]) == ("daily", quiet, "mentions")
    for wrong in (
        {"time_zone": "Mars/Olympus"},
        {"quiet": [{"weekday": 7, "since": 0, "until": 1}]},
        {"x": 1},
    ):
        assert api.patch("me/notification-preferences/", wrong).status_code == 400
    assert api.post("me/notification-preferences/keywords/", {"word": "Ferry"}).status_code == 204
    assert api.post("me/notification-preferences/keywords/", {"word": "!!"}).status_code == 400
    assert api.get("me/notification-preferences/").json()["keywords"] == ["ferry"]


def test_only_what_one_sees_can_be_followed(world: World, ben: Principal) -> None:
    closed = world.channel(world.person("Eve"), "geheim", is_private=True)
    api = program(ben)
    for place in (f"conversation:{closed}", f"conversation:{uuid4()}", f"planet:{uuid4()}", "x"):
        answer = api._send("put", "me/notification-preferences/levels/", {"place": place, "level": "all"})
        assert (answer.status_code, answer.json()["code"]) == (400, "notify.subject_invalid")
    assert not Level.objects.exists()


def test_browsers_are_the_persons_own_and_no_key_can_add_one(world: World, ben: Principal) -> None:
    assert program(ben).post("me/push-subscriptions/", BROWSER).status_code == 403
    assert not PushSubscription.objects.exists()
    api = browser(ben)
    made = api.post("me/push-subscriptions/", BROWSER)
    assert made.status_code == 201
    listed = api.get("me/push-subscriptions/").json()["results"]
    assert [one["id"] for one in listed] == [made.json()["id"]]
    assert "endpoint" not in listed[0]
    assert (
        browser(world.person("Eve")).delete(f"me/push-subscriptions/{made.json()['id']}/").status_code == 404
    )
    assert api.delete(f"me/push-subscriptions/{made.json()['id']}/").status_code == 204
    assert not PushSubscription.objects.exists()


def test_the_defaults_are_the_owners_and_go_into_the_trail(world: World, ben: Principal) -> None:
    owner = world.person("Olga", role="owner")
    assert program(ben).patch("notification-defaults/", {"mail": "off"}).status_code == 403
    assert not Standing.objects.exists()
    everything = {"level": "all", "mail": "off", "push_content": False}
    assert program(owner).patch("notification-defaults/", everything).json() == everything
    assert program(ben).get("me/notification-preferences/").json()["mail"] == "off"
    assert AuditEntry.objects.filter(action="notify.standing_changed").count() == 1


def page(person: Principal, name: str, method: str = "get", data: object = None, **which: object) -> object:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    address = reverse(f"notify:{name}", kwargs={"slug": person.organization_slug, **which})
    return getattr(client, method)(address, data)


def test_the_page_shows_the_list_and_opening_one_reads_it(ben: Principal) -> None:
    drawn = html.fromstring(page(ben, "list").content)  # type: ignore[attr-defined]
    assert [one.text_content() for one in drawn.find_class("note__text")] == ["@Ben second", "@Ben first"]
    bells = drawn.xpath("//nav[@class='rail']//*[@data-bell]")
    assert [bell.text_content().split()[0] for bell in bells] == ["2"]
    newest = Notification.objects.order_by("-pk")[0]
    answer = page(ben, "open", "post", notification_id=newest.pk)
    assert answer.url.endswith(f"/m/{newest.message_id}/")  # type: ignore[attr-defined]
    assert unread_count(ben) == 1


def test_why_says_each_way(ben: Principal) -> None:
    newest = Notification.objects.order_by("-pk")[0]
    text = html.fromstring(page(ben, "why", notification_id=newest.pk).content).text_content()  # type: ignore[attr-defined]
    assert "Somebody mentioned you" in text
    assert "there is no address to send it to" in text


def hours(*spans: tuple[list[str], str, str]) -> dict[str, object]:
    """Return what the form of quiet hours sends."""
    sent: dict[str, object] = {"quiet-TOTAL_FORMS": len(spans), "quiet-INITIAL_FORMS": len(spans)}
    for number, (weekdays, since, until) in enumerate(spans):
        for name, value in (("weekdays", weekdays), ("since", since), ("until", until)):
            sent[f"quiet-{number}-{name}"] = value
    return sent


def test_all_spans_of_quiet_hours_are_shown_and_kept(ben: Principal) -> None:
    noon, night = [[0, 720, 780], [1, 720, 780]], [[0, 1320, 360], [6, 1320, 360]]
    Preferences.objects.create(
        organization_id=ben.organization_id, principal_id=ben.id, quiet=[*noon, *night]
    )
    (form,) = html.fromstring(page(ben, "settings").content).xpath("//section[@id='quiet']/form")  # type: ignore[attr-defined]
    assert form.fields["quiet-TOTAL_FORMS"] == "3"
    sent = dict(form.form_values()) | {
        f"quiet-{number}-weekdays": form.fields[f"quiet-{number}-weekdays"] for number in range(3)
    }
    assert page(ben, "save_quiet", "post", sent).status_code == 302  # type: ignore[attr-defined]
    assert sorted(Preferences.objects.get().quiet) == sorted([*noon, *night])
    page(ben, "save_quiet", "post", {**sent, "quiet-1-weekdays": [], "quiet-2-weekdays": ["4"]})
    assert sorted(Preferences.objects.get().quiet) == sorted([*noon, [4, 1200, 420]])


def test_quiet_hours_that_are_no_times_or_too_many_are_refused(ben: Principal) -> None:
    week = [str(day) for day in range(7)]
    refused = page(ben, "save_quiet", "post", hours((week, "x", "08:00")))
    assert refused.status_code == 422  # type: ignore[attr-defined]
    many = hours(*((week, f"{hour}:00", "23:00") for hour in range(4)))
    assert "At most 21 quiet times" in page(ben, "save_quiet", "post", many).content.decode()  # type: ignore[attr-defined]
    assert not Preferences.objects.exists()


def test_settings_keep_wishes_hours_words_and_a_pause(ben: Principal) -> None:
    form = {
        "level": "all",
        "mail": "weekly",
        "digest_at": "07:30",
        "digest_weekday": "2",
        "push_content": "on",
    }
    assert page(ben, "save_wishes", "post", form).status_code == 302  # type: ignore[attr-defined]
    assert page(ben, "save_wishes", "post", {**form, "mail": "x"}).status_code == 422  # type: ignore[attr-defined]
    page(ben, "save_quiet", "post", hours((["5", "6"], "20:00", "08:00")))
    page(ben, "keywords", "post", {"word": "Fähre"})
    page(ben, "pause", "post", {"for": "30"})
    row = Preferences.objects.get()
    assert (row.level, row.mail, row.digest_minute, row.has_push) == ("all", "weekly", 450, False)
    assert row.quiet == [[5, 1200, 480], [6, 1200, 480]]
    assert row.do_not_disturb_until is not None
    text = page(ben, "settings").content.decode()  # type: ignore[attr-defined]
    assert "fähre" in text
    assert "End it now" in text


def test_what_nobody_chose_goes_on_following_the_organization(world: World, ben: Principal) -> None:
    form = {
        "level": "mentions",
        "mail": "soon",
        "digest_at": "07:30",
        "digest_weekday": "2",
        "push_content": "on",
    }
    page(ben, "save_wishes", "post", form)
    row = Preferences.objects.get()
    assert (row.level, row.mail, row.push_content, row.digest_minute) == ("", "", None, 450)
    program(world.person("Olga", role="owner")).patch("notification-defaults/", {"mail": "weekly"})
    assert program(ben).get("me/notification-preferences/").json()["mail"] == "weekly"
    page(ben, "save_wishes", "post", {**form, "mail": "daily"})
    assert (Preferences.objects.get().mail, Preferences.objects.get().level) == ("daily", "")


def test_a_refused_keyword_stays_in_its_field(ben: Principal) -> None:
    answer = page(ben, "keywords", "post", {"word": "x"})
    assert answer.status_code == 422  # type: ignore[attr-defined]
    (field,) = html.fromstring(answer.content).xpath("//input[@id='word']")  # type: ignore[attr-defined]
    assert field.get("value") == "x"


def test_a_pause_ends_where_it_was_asked_for_and_leads_nowhere_else(ben: Principal) -> None:
    status = f"/o/{ben.organization_slug}/status/"
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=ben.id))
    assert "End it now" not in client.get(status).content.decode()
    page(ben, "pause", "post", {"for": "tomorrow"})
    drawn = html.fromstring(client.get(status).content)
    (form,) = [one for one in drawn.forms if (one.action or "").endswith("/pause/")]
    assert "No push messages until" in form.text_content()
    answer = page(ben, "pause", "post", {"for": "", "next": form.fields["next"]})
    assert answer.url == status  # type: ignore[attr-defined]
    assert Preferences.objects.get().do_not_disturb_until is None
    answer = page(ben, "pause", "post", {"for": "", "next": "https://evil.example/"})
    assert answer.url.startswith(f"/o/{ben.organization_slug}/")  # type: ignore[attr-defined]


def test_a_level_is_set_where_one_reads_and_leads_nowhere_else(world: World, ben: Principal) -> None:
    place = f"conversation:{Notification.objects.order_by('pk')[0].conversation_id}"
    assert page(ben, "place", data={"place": place}).status_code == 200  # type: ignore[attr-defined]
    answer = page(ben, "level", "post", {"place": place, "level": "all", "next": "https://evil.example/"})
    assert answer.url.startswith("/o/")  # type: ignore[attr-defined]
    assert Level.objects.get().level == "all"


def test_places_with_a_level_of_their_own_are_listed(world: World, ben: Principal) -> None:
    first = Notification.objects.order_by("pk")[0]
    page(ben, "level", "post", {"place": f"conversation:{first.conversation_id}", "level": "nothing"})
    page(ben, "level", "post", {"place": f"thread:{first.message_id}", "level": "mentions"})
    drawn = html.fromstring(page(ben, "settings").content)  # type: ignore[attr-defined]
    lines = drawn.xpath("//section[@id='levels']//li")
    name = Conversation.objects.get(pk=first.conversation_id).name
    assert [line.xpath(".//b")[0].text_content() for line in lines] == [name, "Thread: @Ben first"]
    assert [line.xpath(".//small")[0].text_content() for line in lines] == ["Nothing", "Only mentions"]
    change = lines[0].xpath(".//a[contains(@class, 'btn')]/@href")[0]
    assert change.endswith(f"?place=conversation:{first.conversation_id}")
    # what one does not see any more is not listed
    members.remove_person(principal=ben, conversation_id=first.conversation_id, person_id=ben.id)
    Conversation.objects.filter(pk=first.conversation_id).update(is_private=True)
    scopes.set_audience(
        scope_id=Conversation.objects.get(pk=first.conversation_id).scope_id, audience="seats"
    )
    assert 'id="levels"' not in page(ben, "settings").content.decode()  # type: ignore[attr-defined]


def test_muted_places_are_listed_with_those_of_a_level(world: World, ben: Principal) -> None:
    ada = world.person("Ada")
    loud, quiet = (world.channel(ada, name, [ben]) for name in ("laut", "ruhig"))
    world.say(ada, loud, "Wann?", topic="Termine")
    topic = Topic.objects.get(conversation_id=loud).pk
    preferences.set_level(ben, place=f"conversation:{quiet}", level="all")
    members.set_preferences(principal=ben, conversation_id=quiet, is_muted=True)
    topics.set_level(principal=ben, topic_id=topic, level="muted")
    lines = html.fromstring(page(ben, "settings").content).xpath("//section[@id='levels']//li")  # type: ignore[attr-defined]
    said = [
        (line.xpath(".//b")[0].text_content(), line.xpath(".//small")[0].text_content()) for line in lines
    ]
    assert said == [("laut › Termine", "Muted"), ("ruhig", "Muted")]
    changes = [line.xpath(".//a[contains(@class, 'btn')]/@href")[0] for line in lines]
    assert changes == [
        reverse(
            "chat:topic", kwargs={"slug": ben.organization_slug, "conversation_id": loud, "topic_id": topic}
        ),
        reverse("chat:about", kwargs={"slug": ben.organization_slug, "conversation_id": quiet}),
    ]
    members.remove_person(principal=ben, conversation_id=quiet, person_id=ben.id)
    again = html.fromstring(page(ben, "settings").content).xpath("//section[@id='levels']//li[2]//small")  # type: ignore[attr-defined]
    assert [one.text_content() for one in again] == [
        "Everything"
    ]  # muting ended with the seat, the level did not


def test_the_log_is_searched_by_person(world: World, ben: Principal) -> None:
    ada, cem = world.person("Ada Two"), world.person("Cem")
    told(world.say(ada, world.channel(ada, "technik", [cem]), f"{mention(cem)} third").id)
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=world.person("Olga", role="owner").id))
    address = f"/o/{ben.organization_slug}/console/notifications/"

    def whose(asked: str) -> set[str]:
        drawn = html.fromstring(client.get(f"{address}{asked}").content)
        return {cell.text_content() for cell in drawn.xpath("//tbody//td[1]/div[1]")}

    assert whose("") == {"Ben", "Cem"}
    assert whose("?person=cem") == {"Cem"}
    assert whose("?person=cem&channel=push") == {"Cem"}
    assert whose("?person=nobody") == set()


def test_a_browser_finds_itself_in_the_list(ben: Principal) -> None:
    browser(ben).post("me/push-subscriptions/", BROWSER)
    drawn = html.fromstring(page(ben, "settings").content)  # type: ignore[attr-defined]
    (line,) = drawn.xpath("//li[@data-browser]")
    assert line.get("data-endpoint") == hashlib.sha256(BROWSER["endpoint"].encode()).hexdigest()
    assert BROWSER["endpoint"] not in page(ben, "settings").content.decode()  # type: ignore[attr-defined]


def test_the_worker_is_a_script_of_this_address_that_may_ask_it(db: None) -> None:
    for name, says in (("worker", b"/push-worker.js"), ("push-worker", b"showNotification")):
        answer = Client().get(f"/{name}.js")
        assert answer["Content-Type"].startswith("text/javascript")
        assert says in b"".join(answer.streaming_content)  # type: ignore[arg-type]
        # What is asked by a worker is under the policy of the file it was started from.
        assert ("connect-src 'self'" in answer["Content-Security-Policy"]) == (name == "worker")
