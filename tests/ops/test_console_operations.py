"""Overview, status, settings and features at the console."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client
from lxml import html
from pydantic import SecretStr
from pytest_django import Settings as SettingsWrapper
from redis import Redis

from apps.accounts.models import Organization
from apps.chat.services.moderation import report_message
from apps.chat.types import ReportReason
from apps.core import tenancy
from apps.core.events import consumers
from apps.core.events.subscribers import DurableConsumer, durable_consumers
from apps.core.models import Consumer, DeadLetter, FeatureFlag
from apps.core.services.flags import forget, is_on
from apps.ops.selectors import parts
from apps.ops.services import pulse
from apps.ops.types import FRESH_SECONDS, PULSES
from tests.chat.world import World
from tests.factories.accounts import MemberFactory, OrganizationFactory
from tests.ops.conftest import Browser
from tests.walls import everywhere

BASE = "/o/nordlicht/console/"
Queries = Callable[[int], object]


def text(client: Client, page: str) -> str:
    found = html.fromstring(client.get(BASE + page).content)
    return " ".join(" ".join(found.xpath("//main")[0].itertext()).split())


def part(client: Client, key: str) -> str:
    found = html.fromstring(client.get(f"{BASE}status/").content)
    return " ".join(" ".join(found.xpath(f'//tr[@id="{key}"]')[0].itertext()).split())


@pytest.fixture(autouse=True)
def _fresh_flags() -> Iterator[None]:
    forget()
    yield
    forget()


def letter(organization_id: UUID, *, consumer: str = "chat.gone", position: int = 1) -> DeadLetter:
    with everywhere():
        return DeadLetter.objects.create(
            consumer=consumer, position=position, organization_id=organization_id, event_type="message.sent",
            event={"payload": {"body": "Azimut"}}, error="Traceback\nValueError: no good", attempts=5,
        )  # fmt: skip


# Overview


def test_the_overview_says_what_needs_somebody(browser: Browser, organization: Organization) -> None:
    letter(organization.pk)
    said = text(browser("owner"), "")
    assert "Needs you" in said
    assert "1 event was given up" in said
    assert "Worker: no worker is heard" in said
    assert "Azimut" not in said


def test_the_overview_counts_reported_messages(browser: Browser, organization: Organization) -> None:
    with tenancy.use(organization.pk):
        world = World(organization)
        author, reporter = world.person("Author"), world.person("Reporter")
        sent = world.say(author, world.channel(author, "open", [reporter]), "Buy my boat")
        report_message(principal=reporter, message_id=sent.id, reason=ReportReason.SPAM)
    for role in ("owner", "moderator"):
        assert "1 reported message waits" in text(browser(role), "")
    assert "reported message" not in text(browser("auditor"), "")


def test_the_overview_costs_a_fixed_number_of_queries(
    browser: Browser, organization: Organization, django_assert_num_queries: Queries
) -> None:
    MemberFactory.create_batch(20, organization=organization)
    client = browser("owner")
    client.get(BASE)
    # user, its session, seat; event log 3; leader, version; runs and their numbers 2; messages, members,
    # conversations, documents; dead letters; reports; emergency accounts
    with django_assert_num_queries(18):
        assert client.get(BASE).status_code == 200


def test_moderators_see_no_runs_on_the_overview(browser: Browser) -> None:
    assert "All runs" not in text(browser("moderator"), "")
    assert "All runs" in text(browser("admin"), "")


def test_the_period_of_the_chart_is_an_address(browser: Browser) -> None:
    client = browser("owner")
    assert "in 14 days" in text(client, "?days=nonsense")
    assert "in 90 days" in text(client, "?days=90")


# Status


def test_a_process_is_heard_until_it_falls_silent(browser: Browser, redis: Redis) -> None:
    client = browser("owner")
    assert "no worker is heard" in part(client, "worker")
    pulse.say_once("worker")
    assert part(client, "worker") == "Worker 1 process 1 process –"
    ((name, said),) = redis.hgetall(PULSES).items()
    redis.hset(PULSES, name, orjson.dumps(orjson.loads(said) | {"heard_at": time.time() - FRESH_SECONDS - 1}))
    assert "no worker is heard" in part(client, "worker")


def test_the_long_silent_are_forgotten(redis: Redis) -> None:
    redis.hset(PULSES, "worker:old:1", orjson.dumps({"heard_at": time.time() - 7200}))
    pulse.say_once("web")
    assert pulse.forget_silent() == 1
    assert len(redis.hgetall(PULSES)) == 1


def test_without_redis_the_page_stands_and_says_what_is_missing(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser("owner")
    client.get(BASE)
    away = Redis.from_url("unix:///nonexistent/redis.sock")
    for module in ("parts", "pulses", "versions"):
        monkeypatch.setattr(f"apps.ops.selectors.{module}.client", lambda: away)
    assert "does not answer" in part(client, "redis")
    assert "not heard, as Redis is away" in part(client, "worker")


def test_the_relay_is_missed_when_none_leads(browser: Browser) -> None:
    assert "no relay leads" in part(browser("owner"), "relay")


def test_the_supervisors_table_is_shown_while_it_runs(
    browser: Browser, settings: SettingsWrapper, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    settings.DATA_DIR = tmp_path
    line = {"name": "models", "pid": os.getpid(), "command": "x", "state": "installing ai set", "restarts": 2}
    table = [line | {"since": "2026-11-24T03:39:01.158+00:00"}]
    (tmp_path / "run" / "processes.json").write_text(json.dumps(table))
    client = browser("owner")
    assert "models installing ai set" in text(client, "status/")
    table[0]["pid"] = 2**22 + 1  # no process has it
    (tmp_path / "run" / "processes.json").write_text(json.dumps(table))
    assert "Processes of this machine" not in text(client, "status/")
    (tmp_path / "run" / "processes.json").write_text("{")
    assert "Processes of this machine" not in text(client, "status/")


def test_a_failing_consumer_is_named_with_its_reason(browser: Browser, organization: Organization) -> None:
    name = durable_consumers()[0].name
    Consumer.objects.create(name=name, attempts=2, last_error="Traceback\nValueError: no good")
    said = text(browser("owner"), "status/")
    assert f"{name} ValueError: no good 2 failed tries" in said


def test_given_up_events_are_those_of_the_organization(browser: Browser, organization: Organization) -> None:
    letter(organization.pk)
    letter(OrganizationFactory().pk, consumer="rag.gone", position=2)
    assert "rag.gone" not in text(browser("owner"), "status/")
    assert "rag.gone" in text(browser("admin", staff=True), "status/")
    assert "Azimut" not in text(browser("owner"), "status/")


def test_a_given_up_event_is_given_again_or_dismissed(
    browser: Browser, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    consumer = DurableConsumer("chat.gone", frozenset({"message.sent"}), taken.append, True)
    monkeypatch.setattr(consumers, "durable_consumers", lambda: [consumer])
    monkeypatch.setattr(consumers, "restore", lambda event: event["payload"]["body"])
    first, second = letter(organization.pk), letter(organization.pk, position=2)
    client = browser("admin")
    client.post(f"{BASE}status/given-up/{first.pk}/", {"action": "replay"})
    client.post(f"{BASE}status/given-up/{second.pk}/", {"action": "dismiss"})
    assert taken == ["Azimut"]
    with everywhere():
        assert list(DeadLetter.objects.order_by("pk").values_list("state", flat=True)) == [
            "replayed",
            "dismissed",
        ]


def test_an_event_that_fails_again_stays(browser: Browser, organization: Organization) -> None:
    row = letter(organization.pk)
    answer = browser("admin").post(f"{BASE}status/given-up/{row.pk}/", {"action": "replay"}, follow=True)
    assert "It failed again" in answer.content.decode()
    with everywhere():
        row.refresh_from_db()
    assert row.state == "open"


def test_settling_needs_the_right_and_an_own_letter(browser: Browser, organization: Organization) -> None:
    own, foreign = letter(organization.pk), letter(OrganizationFactory().pk, position=2)
    dismiss = {"action": "dismiss"}
    assert browser("moderator").post(f"{BASE}status/given-up/{own.pk}/", dismiss).status_code == 403
    assert browser("admin").post(f"{BASE}status/given-up/{foreign.pk}/", dismiss).status_code == 404
    with everywhere():
        assert set(DeadLetter.objects.values_list("state", flat=True)) == {"open"}


# Settings


def test_settings_say_their_value_and_where_it_comes_from(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATSYSTEM_QUOTA_GB", "20")
    client = browser("admin")
    assert "CHATSYSTEM_QUOTA_GB Files of one organization together. 20 environment" in text(
        client, "settings/?q=quota"
    )
    assert "Largest file. 100 default" in text(client, "settings/?q=upload+limit")
    assert "Nothing found" in text(client, "settings/?q=no-such-setting")


def test_no_secret_is_on_the_page(browser: Browser, settings: SettingsWrapper) -> None:
    page = browser("owner").get(f"{BASE}settings/").content.decode()
    security, database = settings.CONFIGURATION.security, settings.CONFIGURATION.database
    assert security.secret_key.get_secret_value() not in page
    assert database.database_url.get_secret_value() not in page
    assert "set, hidden" in page


@pytest.mark.parametrize(
    ("profile", "url", "tone", "said"),
    [
        ("embedded", None, "off", "is written to files"),
        ("prod", None, "warn", "is written to files"),
        ("prod", "smtp+tls://u:hush@mail.example.org", "ok", "mail.example.org:587"),
    ],
)
def test_the_status_page_says_where_mail_goes(
    *, browser: Browser, settings: SettingsWrapper, profile: str, url: str | None, tone: str, said: str
) -> None:
    mail = settings.CONFIGURATION.mail.model_copy(update={"smtp_url": SecretStr(url) if url else None})
    settings.CONFIGURATION = dataclasses.replace(settings.CONFIGURATION, mail=mail)
    settings.PROFILE = profile
    assert (parts.mail().tone, parts.mail().said) == (tone, said)
    assert said in part(browser("owner"), "mail")
    assert "hush" not in text(browser("owner"), "status/")


@pytest.fixture
def written(settings: SettingsWrapper, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    with get_connection() as connection:
        for number in (1, 2):
            EmailMessage(
                f"Grüße {number}", "Click http://x/secret", None, ["a@example.org"], connection=connection
            ).send()
    return tmp_path


def test_operators_read_mail_that_was_written_to_files(browser: Browser, written: Path) -> None:
    client = browser("admin", staff=True)
    page = html.fromstring(client.get(f"{BASE}settings/").content)
    links = page.xpath('//section[@id="mail"]//a')
    assert sorted(link.text for link in links) == ["Grüße 1", "Grüße 2"]
    assert "http://x/secret" in client.get(links[0].get("href")).content.decode()
    assert client.get(f"{BASE}settings/mail/0123456789abcdef/").status_code == 404


def test_others_neither_see_nor_open_it(browser: Browser, written: Path) -> None:
    page = html.fromstring(browser("admin", staff=True).get(f"{BASE}settings/").content)
    address = page.xpath('//section[@id="mail"]//a/@href')[0]
    client = browser("owner")
    assert "a@example.org" not in client.get(f"{BASE}settings/").content.decode()
    assert client.get(address).status_code == 404


# Features


def change(client: Client, key: str = "sky", **values: str) -> int:
    return client.post(f"{BASE}flags/{key}/change/", values).status_code


def test_an_organization_decides_for_itself_and_its_people(
    browser: Browser, organization: Organization
) -> None:
    FeatureFlag.objects.create(key="sky")
    anna = MemberFactory(organization=organization)
    client = browser("admin")
    change(client, rule="organization", decision="on")
    assert is_on("sky", organization.pk, anna.user_id)
    change(client, rule="person", person=str(anna.user.email), decision="off")
    assert not is_on("sky", organization.pk, anna.user_id)
    change(client, rule="person", person=str(anna.user_id), decision="")
    assert is_on("sky", organization.pk, anna.user_id)
    change(client, rule="organization", decision="off")
    assert not is_on("sky", organization.pk, anna.user_id)


def test_people_of_other_organizations_are_out_of_reach(browser: Browser) -> None:
    FeatureFlag.objects.create(key="sky")
    stranger = MemberFactory()
    client = browser("admin")
    assert change(client, rule="person", person=str(stranger.user.email), decision="on") == 404
    assert change(client, rule="person", person=str(stranger.user_id), decision="on") == 404
    assert FeatureFlag.objects.get().people_on == []


@pytest.mark.parametrize("rule", ["all", "delete"])
def test_rules_for_all_organizations_are_for_operators(browser: Browser, rule: str) -> None:
    FeatureFlag.objects.create(key="sky")
    change(browser("owner"), rule=rule, everyone="1", percentage="100")
    flag = FeatureFlag.objects.get()
    assert (flag.everyone, flag.percentage) == (False, 0)


def test_operators_make_grow_and_remove_a_flag(browser: Browser, organization: Organization) -> None:
    client = browser("owner", staff=True)
    assert client.post(f"{BASE}flags/new/", {"key": "sky", "description": "Try"}).status_code == 302
    assert client.post(f"{BASE}flags/new/", {"key": "sky"}).status_code == 422
    assert client.post(f"{BASE}flags/new/", {"key": "Not a key"}).status_code == 422
    change(client, rule="all", percentage="100")
    assert is_on("sky", organization.pk, organization.pk)
    change(client, rule="all", percentage="101")
    assert FeatureFlag.objects.get().percentage == 100
    change(client, rule="delete")
    assert not FeatureFlag.objects.exists()
    assert browser("admin").post(f"{BASE}flags/new/", {"key": "sky"}).status_code == 403


def test_flags_tell_only_the_own_people(browser: Browser, organization: Organization) -> None:
    own, stranger = MemberFactory(organization=organization, name="Own"), MemberFactory(name="Stranger")
    FeatureFlag.objects.create(key="sky", people_on=[own.user_id, stranger.user_id])
    said = text(browser("admin"), "flags/sky/")
    assert "Own" in said
    assert "Stranger" not in said
    assert str(stranger.user_id) not in said


def test_the_reader_is_told_what_holds_for_them(browser: Browser, organization: Organization) -> None:
    member = MemberFactory(organization=organization, role="admin")
    FeatureFlag.objects.create(key="sky", people_on=[member.user_id])
    with tenancy.use(organization.pk):
        assert "on for you" in text(browser(member), "flags/sky/")
