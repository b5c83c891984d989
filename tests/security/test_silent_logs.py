"""PRIV-05: secrets and private text stay out of logs, dead letters, errors of runs, task arguments and metrics."""

from __future__ import annotations

import json
import logging
import smtplib
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test import Client
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from apps.accounts.models import Member
from apps.accounts.services.invitations import invite
from apps.core import faults, tenancy
from apps.core.events import consumers, feed
from apps.core.relay import loop
from apps.core.relay.periodic import Scheduled
from apps.core.services import dead_letters
from apps.llm.errors import ModelUnavailable
from apps.llm.services.gateway import complete_stream
from apps.runs.models import Attempt, Run
from apps.runs.services.working import work_on
from chatsystem.celery import app
from tests import walls
from tests.core.events import consuming, platform_role, tick
from tests.core.web_process import WebProcess, web_process
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.factories.runs import run_of
from tests.llm import conftest as llm
from tests.llm.model_server import HEAD, event, model_server
from tests.llm.test_services_gateway import completion
from tests.runs import steps
from tests.runs.worker import wait_for, worker
from tests.security import canaries as places
from tests.security.canaries import ERRORS, Canaries, logs
from tests.security.sizes import in_turn
from tests.security.test_every_entrance import ASKED, address


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def member(db: None) -> Member:
    return MemberFactory(role="owner")


def everywhere(written: str = "") -> str:
    return "\n".join([written, places.metrics(), places.queue(), places.rows(*ERRORS), places.postgres_log()])


def test_no_door_writes_down_what_came_through_it(canaries: Canaries, member: Member) -> None:
    """Each route with canaries in address, query, headers, cookies, fields, JSON and file names.

    As one of three callers in turn and in two or three of the seven ways, in all of them as all in the larger sizes.
    """
    key = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {api_key(member).secret}"})
    person = Client(raise_request_exception=False)
    person.force_login(member.user, "apps.accounts.page_sessions.Backend")
    forged = Client(
        raise_request_exception=False, headers={"Authorization": f"Bearer {canaries.new('bearer')}"}
    )
    forged.cookies["session"] = canaries.new("session")
    all_ = [key, person, forged]
    with logs() as written:
        for place, route in enumerate(ASKED):
            for caller in in_turn(all_, place, every=3):
                for visit in in_turn(VISITS, place // 3, every=3):
                    visit(caller, address(route), canaries.new)
        sign_in(canaries, member)
    assert len(canaries.made) >= 60
    assert written.getvalue().count('"event":"request"') > 500
    assert canaries.found_in(everywhere(written.getvalue())) == []


New = Callable[[str], str]


def in_headers(new: New) -> dict[str, str]:
    return {
        "X-Request-ID": new("id"),
        "Referer": new("referer"),
        "User-Agent": new("agent"),
        "Cookie2": new("c"),
    }


def in_fields(new: New) -> dict[str, str]:
    return {
        "body": new("body"),
        "password": new("password"),
        "email": f"{new('mail')}@example.org",
        "name": new("n"),
    }


VISITS: tuple[Callable[[Client, str, New], object], ...] = (
    lambda caller, where, new: caller.get(
        f"{where}?q={new('query')}&cursor={new('cursor')}&{new('name')}=1", headers=in_headers(new)
    ),
    lambda caller, where, new: caller.get(
        f"{where}{new('path')}/", headers={"Host": f"{new('host')}.example", "Origin": new("origin")}
    ),
    lambda caller, where, new: caller.post(
        where, json.dumps(in_fields(new) | {new("field"): 1}), content_type="application/json", headers=in_headers(new)
    ),
    lambda caller, where, new: caller.post(
        where, in_fields(new) | {"q": new("search"), "file": SimpleUploadedFile(new("file"), new("content").encode())}
    ),
    lambda caller, where, new: caller.put(
        where, f'{{"half": "{new("malformed")}', content_type="application/json"
    ),
    lambda caller, where, new: caller.patch(where, new("type"), content_type=f"text/{new('kind')}"),
    lambda caller, where, new: caller.delete(f"{where}?id={new('delete')}"),
)  # fmt: skip


def sign_in(canaries: Canaries, member: Member) -> None:
    for address_ in (member.user.email, f"{canaries.new('login')}@example.org"):
        fields = {
            "login": address_,
            "password": canaries.new("password"),
            "next": f"//{canaries.new('next')}",
        }
        Client(raise_request_exception=False).post("/accounts/login/", fields)
    Client().post("/accounts/password/reset/", {"email": f"{canaries.new('reset')}@example.org"})


def test_failing_steps_write_down_where_and_not_what(canaries: Canaries, transactional_db: None) -> None:
    member = MemberFactory()
    with logs() as written:
        for kind in steps.SPILLS:
            run = run_of(member, steps.StepSpec("tests.spill", {"kind": kind, "text": canaries.new(kind)}))
            with tenancy.use(member.organization_id):
                work_on(run_id=run.id)
    assert canaries.found_in(everywhere(written.getvalue())) == []
    with walls.everywhere():
        traces = "\n".join(Attempt.objects.values_list("error_text", flat=True))
    assert "tests/runs/steps.py:" in traces  # what helps is still there
    for constant in (
        "ValueError",
        "UniqueViolation 23505 core_featureflag_pkey core_featureflag",
        "FileNotFoundError ENOENT",
    ):
        assert constant in traces
    with walls.everywhere():
        assert Run.objects.filter(state="failed").count() == len(steps.SPILLS)


def test_library_lines_keep_their_constant_part(canaries: Canaries) -> None:
    with logs() as written:
        with pytest.raises(steps.Refused):
            steps.spill("log", canaries.new("log"))
        made = f"Exception in callback <Handle {canaries.new('handle')}>\nmore"
        logging.getLogger("asyncio").error(made)
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["event"] for line in lines] == [
        "Made at run time …", "Filled in … and 7", "Named tests.spill with …", "ValueError", "object",
        "Exception in callback …", "Invalid HTTP request received.",
    ]  # fmt: skip
    assert (lines[1]["count"], "more" in lines[1], lines[4]["object"]) == (3, False, "Refused")
    assert lines[0]["at"].startswith("steps:")
    assert canaries.found_in(written.getvalue()) == []


@dataclass(frozen=True)
class Held:
    """An object whose text holds what was given to it."""

    text: str


def test_objects_are_told_by_their_type_and_every_line_is_written(canaries: Canaries) -> None:
    number, day = uuid4(), datetime(2026, 5, 4, tzinfo=UTC)
    with logs() as written:
        our = logging.getLogger("apps.tests")
        our.info("held", extra={"held": Held(canaries.new("held")), "number": number, "day": day})
        our.info("half", extra={"half": "\ud83d"})
        our.info("many", extra={"many": 2**70})
        our.info("kinds", extra={"by": {1: Held(canaries.new("key"))}})
        our.info('Grüße\n\t"')
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["held", "half", "many", "kinds", 'Grüße\n\t"']
    assert (lines[0]["held"], lines[0]["number"], lines[0]["day"]) == ("Held", str(number), str(day))
    assert (lines[1]["half"], lines[2]["many"], lines[3]["by"]) == ("\ud83d", 2**70, {"1": "Held"})
    assert canaries.found_in(written.getvalue()) == []


def test_the_search_finds_what_leaks(canaries: Canaries) -> None:
    """The proof of bite: the library's own form of the same lines holds the canaries."""
    with logs() as written:
        handler = logging.getLogger().handlers[-1]
        handler.setFormatter(logging.Formatter("%(message)s"))
        try:
            steps.spill("value", canaries.new("value"))
        except ValueError:
            logging.getLogger("apps.tests").exception("failed")
        logging.getLogger("third.party").error("Filled in %s", canaries.new("filled"))
    assert canaries.found_in(written.getvalue()) == canaries.made


def test_consumers_and_dead_letters_keep_no_text_of_errors(
    canaries: Canaries, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MOST_ATTEMPTS", 1)
    with platform_role(), logs() as written:
        for kind in ("value", "row", "data", "cause"):
            text = canaries.new(kind)
            with consuming(lambda event: steps.spill(kind, text), name=f"test.{kind}") as consumer:  # noqa: B023
                tick()
                feed.move_outbox()
                consumers.run(consumer)
                letter = consumers.DeadLetter.objects.filter(consumer=consumer.name).latest("pk")
                assert "tests/runs/steps.py:" in letter.error
                replayed = dead_letters.replay(dead_letter_id=letter.pk)
                assert replayed.error
                assert canaries.found_in(replayed.error) == []
        loop._perform(Scheduled("tests.spill", 1, lambda: steps.spill("value", canaries.new("duty"))))
        assert "relay.duty_failed" in written.getvalue()
        assert canaries.found_in(everywhere(written.getvalue())) == []


class RefusingMail(BaseEmailBackend):
    def send_messages(self, email_messages: Any) -> int:
        raise smtplib.SMTPRecipientsRefused({email_messages[0].to[0]: (550, email_messages[0].body.encode())})


def test_mail_that_fails_is_not_quoted(
    canaries: Canaries, member: Member, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.RefusingMail"
    with logs() as written, tenancy.use(member.organization_id):
        with django_capture_on_commit_callbacks(execute=True):
            link = invite(principal=principal_of(member), email=f"{canaries.new('invited')}@example.org")
        canaries.made.append(link.url.rstrip("/").rpartition("/")[2])
        assert "invitation.not_mailed" in written.getvalue()
    assert canaries.found_in(everywhere(written.getvalue())) == []


use_llm = llm.use_llm


def test_what_a_model_provider_says_is_not_written_down(
    canaries: Canaries, member: Member, use_llm: Any
) -> None:
    def refusing(text: str) -> bytes:
        body = json.dumps({"error": {"message": f"flagged: {text}", "type": "x", "code": text}}).encode()
        head = b"HTTP/1.1 400 X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return head + body

    scripts: list[tuple[int, list[bytes | str]]] = [  # how often each is asked for, and what it says
        (1, [refusing(canaries.new("refusal"))]),
        (3, [HEAD, event({"error": {"message": canaries.new("stream"), "code": canaries.new("code")}})]),
        (1, [HEAD, event({"choices": canaries.new("shape")})]),
        (3, [b"HTTP/1.1 200 OK\r\n" + canaries.new("head").encode()]),
    ]
    with logs() as written, tenancy.use(member.organization_id):
        for times, script in scripts:
            with model_server([script] * times) as server:
                use_llm(server.base_url)
                with pytest.raises(ModelUnavailable):
                    list(complete_stream(completion(text=canaries.new("prompt"))))
        assert written.getvalue().count("llm_call_failed") == len(scripts)
    assert canaries.found_in(everywhere(written.getvalue())) == []


def test_what_nobody_catches_says_no_values(canaries: Canaries, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        steps.spill("value", canaries.new("hook"))
    except ValueError as error:
        faults._uncaught(type(error), error, error.__traceback__)
        faults._uncaught_in_thread(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
    said = capsys.readouterr().err
    assert said.count("ValueError") == 2
    assert canaries.found_in(said) == []


def test_long_running_processes_install_the_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    faults.install()
    assert (sys.excepthook, threading.excepthook) == (faults._uncaught, faults._uncaught_in_thread)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "process.log"
    path.touch()
    return path


def talk(web: WebProcess, canaries: Canaries, where: str, authorization: str) -> int:
    """Send frames of all kinds, and return how many answers came."""
    new, answers = canaries.new, 0
    frames = [
        new("frame"), json.dumps({"frame": new("kind")}),
        json.dumps({"frame": "send", "body": new("text"), "x": new("x")}),
        json.dumps({"frame": "watch", "people": [new("person")]}), json.dumps({"frame": "resume", new("field"): 1}),
    ]  # fmt: skip
    address_, headers = f"ws://127.0.0.1:{web.port}{where}", {"Authorization": authorization}
    with (
        suppress(WebSocketException),
        connect(address_, additional_headers=headers) as line,
    ):  # however it refuses
        for frame in frames:
            line.send(frame)
        line.send(new("bytes").encode())
        while answers < len(frames) + 2:
            line.recv(timeout=10)
            answers += 1
    return answers


@pytest.mark.timeout(180)
def test_the_web_process_says_nothing_of_its_requests(
    canaries: Canaries, transactional_db: None, log: Path
) -> None:
    new, secret = canaries.new, api_key(MemberFactory(role="owner")).secret
    canaries.made.append(secret)
    with web_process(log=log) as web:
        with web.client() as client:
            for what in ("missing", "away", "fault"):
                answer = client.post(
                    f"/refuse/{what}?token={new('query')}", data={"password": new("field")},
                    headers={"Authorization": f"Bearer {new('bearer')}", "Cookie": f"session={new('cookie')}"},
                )  # fmt: skip
                assert answer.status_code >= 400
                client.get(f"/api/v1/loop?fault=1&token={new('async')}", headers={"X-Api-Key": new("key")})
            client.get(f"/{new('path')}/")
        for garbage in (
            f"GET /{new('line')} HTTP/9.9\r\n\r\n",
            f"{new('nonsense')}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: {new('host')} x\r\n{new('header')}\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", web.port), timeout=10) as raw:
                raw.sendall(garbage.encode())
                raw.recv(4096)
        talk(web, canaries, f"/ws/v1/?token={new('socket')}", f"Bearer {new('handshake')}")
        talk(web, canaries, f"/ws/{new('nowhere')}/", f"Bearer {secret}")
        assert talk(web, canaries, "/ws/v1/", f"Bearer {secret}") > 1
        web.stop()
    said = log.read_text()
    assert "KeyError" in said
    assert canaries.found_in(said + places.postgres_log()) == []


def finished() -> int:
    with walls.everywhere():
        return Run.objects.filter(finished_at__isnull=False).count()


@pytest.mark.timeout(180)
def test_the_worker_says_nothing_of_its_tasks(canaries: Canaries, transactional_db: None, log: Path) -> None:
    member = MemberFactory()
    for kind in ("value", "row", "log"):
        app.send_task("tests.spill_task", kwargs={"kind": kind, "text": canaries.new(f"task{kind}")})
        run_of(member, steps.StepSpec("tests.spill", {"kind": kind, "text": canaries.new(kind)}))
    app.send_task("tests.unknown", args=[canaries.new("unknown")])
    with worker(log):
        wait_for(lambda: finished() == 3, log=log)
        wait_for(
            lambda: log.read_text().count("tests.spill_task") >= 3 and "nregistered" in log.read_text(),
            log=log,
        )
    assert canaries.found_in(everywhere(log.read_text())) == []
    connection.close()
