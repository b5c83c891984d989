"""One model call over real HTTP; the server's shapes and their source are in `model_server`."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from uuid import UUID

import pytest

from apps.core.ids import uuid7
from apps.llm.errors import BudgetSpent, CallFailed, ModelUnavailable, PromptTooLong
from apps.llm.models import DailyUsage, Reservation, UsageEntry
from apps.llm.services.gateway import complete_stream
from apps.llm.services.tokens import estimate_prompt, estimate_tokens
from apps.llm.types import Caller, ChatMessage, Completion, Finished, TextDelta, Trouble
from tests.core.outbound_servers import redirect, reply, served
from tests.llm.model_server import DONE, HEAD, Step, answer, chunk, event, model_server, refusal

UseLlm = Callable[..., None]
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="module", autouse=True)
def openai_compatible() -> ModuleType:
    """Load it before a test opens a transaction: half a thousand modules, and none where the tests are collected."""
    return importlib.import_module("apps.llm.providers.openai_compatible")


def completion(*, timeout_seconds: float = 5.0, budget_tokens: int = 100, text: str = "Hi") -> Completion:
    return Completion(
        messages=[ChatMessage("system", "Be brief."), ChatMessage("user", text)],
        caller=Caller("answer", principal_id=uuid7(), run_id=uuid7()),
        timeout_seconds=timeout_seconds,
        budget_tokens=budget_tokens,
    )


def collect(wanted: Completion) -> tuple[str, Finished]:
    *deltas, end = complete_stream(wanted)
    assert isinstance(end, Finished)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), end


def test_an_answer_streams_and_is_settled(organization_id: UUID, use_llm: UseLlm) -> None:
    wanted = completion()
    with model_server([answer("Grü", "ße ", "😀")]) as server:
        use_llm(server.base_url)
        text, end = collect(wanted)
    assert text == "Grüße 😀"
    assert (end.provider, end.model, end.reason, end.broken) == (
        "openai-compatible",
        "test-model",
        "stop",
        None,
    )
    assert (end.usage.tokens_in, end.usage.tokens_out, end.usage.is_estimated) == (11, 7, False)
    entry = UsageEntry.objects.get()
    assert (entry.organization_id, entry.purpose, entry.outcome) == (organization_id, "answer", "done")
    assert (entry.principal_id, entry.run_id) == (wanted.caller.principal_id, wanted.caller.run_id)
    assert entry.cost == Decimal("0.000092")
    assert DailyUsage.objects.get().tokens == 18
    assert not Reservation.objects.exists()
    assert "authorization: bearer key-of-the-operator" in server.headers[0].lower()
    (asked,) = server.requests
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert (asked["model"], asked["max_tokens"], asked["stream"]) == ("test-model", 100, True)
    assert asked["stream_options"] == {"include_usage": True}


def test_what_the_provider_does_not_count_is_estimated(organization_id: UUID, use_llm: UseLlm) -> None:
    with model_server([answer("one two three", counted=None)]) as server:
        use_llm(server.base_url)
        _, end = collect(completion())
    assert end.usage.is_estimated
    assert end.usage.tokens_out == estimate_tokens("one two three")
    assert UsageEntry.objects.get().is_estimated


@pytest.mark.parametrize(
    "first",
    [
        refusal(429, "Retry-After: 0"),
        refusal(500),
        refusal(503),
        ["reset"],
        [HEAD, "reset"],
        [HEAD],
        [HEAD, event({"error": {"message": "overloaded"}})],
    ],
)
def test_a_failure_before_the_first_token_is_tried_again(
    organization_id: UUID, use_llm: UseLlm, first: list[Step]
) -> None:
    with model_server([first, first, answer("there")]) as server:
        use_llm(server.base_url)
        text, end = collect(completion())
    assert (text, end.broken, len(server.requests)) == ("there", None, 3)
    assert UsageEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("script", "times", "trouble"),
    [
        (refusal(429, "Retry-After: 0"), 3, Trouble.BUSY),
        (refusal(500), 3, Trouble.BUSY),
        (refusal(429, "Retry-After: 3600"), 1, Trouble.BUSY),
        (refusal(401), 1, Trouble.REFUSED),
        (refusal(404), 1, Trouble.REFUSED),
        (refusal(302, "Location: http://127.0.0.1:9/"), 1, Trouble.REFUSED),
        ([HEAD, b"data: {not json\n\n"], 1, Trouble.MALFORMED),
        ([HEAD, event({"choices": "none"})], 1, Trouble.MALFORMED),
        ([HEAD, event([1])], 1, Trouble.MALFORMED),
        ([HEAD, chunk(reason="stop"), DONE], 1, Trouble.EMPTY),
    ],
)
def test_a_model_that_says_nothing_is_unavailable(
    organization_id: UUID, use_llm: UseLlm, script: list[Step], times: int, trouble: Trouble
) -> None:
    with model_server([script] * times) as server:
        use_llm(server.base_url)
        with pytest.raises(ModelUnavailable) as refused:
            collect(completion())
    assert refused.value.trouble is trouble
    assert len(server.requests) == times
    assert not Reservation.objects.exists()


def test_a_server_that_is_not_there_is_unreachable(organization_id: UUID, use_llm: UseLlm) -> None:
    use_llm(NOBODY)
    with pytest.raises(ModelUnavailable) as refused:
        collect(completion())
    assert refused.value.trouble is Trouble.UNREACHABLE
    assert not Reservation.objects.exists()
    assert not UsageEntry.objects.exists()


def test_a_server_that_hangs_is_late(organization_id: UUID, use_llm: UseLlm) -> None:
    with model_server([["hang"]]) as server:
        use_llm(server.base_url)
        started = time.monotonic()
        with pytest.raises(ModelUnavailable) as refused:
            collect(completion(timeout_seconds=0.3))
    assert refused.value.trouble is Trouble.LATE
    assert time.monotonic() - started < 3


def test_signs_of_life_do_not_lengthen_the_call(organization_id: UUID, use_llm: UseLlm) -> None:
    """Comments are ignored by readers of an event stream; some servers send them while they load a model."""
    with model_server([[HEAD, "drip"]]) as server:
        use_llm(server.base_url)
        with pytest.raises(ModelUnavailable) as refused:
            collect(completion(timeout_seconds=0.3))
    assert refused.value.trouble is Trouble.LATE


@pytest.mark.parametrize(
    ("ending", "trouble"),
    [
        (["reset"], Trouble.UNREACHABLE),
        ([], Trouble.UNREACHABLE),
        ([DONE], Trouble.UNREACHABLE),
        (["hang"], Trouble.LATE),
        ([b"data: {broken\n\n"], Trouble.MALFORMED),
        ([event({"error": {"message": "overloaded"}})], Trouble.BUSY),
    ],
)
def test_an_answer_that_breaks_off_stays_broken_and_is_not_asked_again(
    organization_id: UUID, use_llm: UseLlm, ending: list[Step], trouble: Trouble
) -> None:
    with model_server([[HEAD, chunk("half an "), *ending]]) as server:
        use_llm(server.base_url)
        text, end = collect(completion(timeout_seconds=0.5 if ending == ["hang"] else 5.0))
    assert (text, end.broken, len(server.requests)) == ("half an ", trouble, 1)
    entry = UsageEntry.objects.get()
    assert (entry.outcome, entry.is_estimated) == (str(trouble), True)
    assert not Reservation.objects.exists()


def test_a_reader_that_leaves_ends_the_call_and_pays_for_what_it_read(
    organization_id: UUID, use_llm: UseLlm
) -> None:
    with model_server([[HEAD, chunk("one "), "hang"]]) as server:
        use_llm(server.base_url)
        stream = complete_stream(completion())
        assert next(stream) == TextDelta("one ")
        stream.close()
    entry = UsageEntry.objects.get()
    assert (entry.outcome, entry.tokens_out) == ("stopped", estimate_tokens("one "))
    assert not Reservation.objects.exists()


def test_without_a_model_nothing_is_reserved(organization_id: UUID, use_llm: UseLlm) -> None:
    use_llm("")
    with pytest.raises(ModelUnavailable) as refused:
        collect(completion())
    assert refused.value.trouble is Trouble.NOT_CONFIGURED
    assert not DailyUsage.objects.exists()


def test_a_spent_budget_asks_nobody(organization_id: UUID, use_llm: UseLlm) -> None:
    needed = estimate_prompt(completion().messages) + 100
    with model_server([answer("a", counted=(1, 1))]) as server:
        use_llm(server.base_url, llm_daily_tokens=needed)
        collect(completion())
        with pytest.raises(BudgetSpent) as refused:
            collect(completion())
    assert len(server.requests) == 1
    assert 0 < (refused.value.retry_after_seconds or 0) <= 86_401
    assert UsageEntry.objects.count() == 1


def test_calls_under_way_count_against_the_budget(organization_id: UUID, use_llm: UseLlm) -> None:
    needed = estimate_prompt(completion().messages) + 100
    with model_server([[HEAD, chunk("one "), "hang"]]) as server:
        use_llm(server.base_url, llm_daily_tokens=needed * 2 - 1)
        stream = complete_stream(completion())
        next(stream)
        with pytest.raises(BudgetSpent):
            collect(completion())
        stream.close()
    assert not Reservation.objects.exists()


def test_a_prompt_beyond_the_window_asks_nobody(organization_id: UUID, use_llm: UseLlm) -> None:
    use_llm(NOBODY, llm_context_tokens=512)
    with pytest.raises(PromptTooLong):
        collect(completion(text="word " * 1000))
    assert not DailyUsage.objects.exists()


class _Leaving(Exception):
    pass


@pytest.mark.parametrize("script", [["hang"], [HEAD, chunk("Das "), "hang"]], ids=["silent", "broke off"])
def test_a_caller_who_leaves_a_silent_model_waits_for_a_moment_only(
    organization_id: UUID, use_llm: UseLlm, script: list[Step]
) -> None:
    looks: list[float] = []

    def check() -> None:
        looks.append(time.monotonic())
        if len(looks) == 2:
            raise _Leaving

    began = time.monotonic()
    with model_server([script]) as server:
        use_llm(server.base_url, llm_timeout_seconds=30.0)
        with pytest.raises(_Leaving):
            list(complete_stream(replace(completion(timeout_seconds=30.0), check=check)))
    assert looks[-1] - began < 5
    assert not Reservation.objects.exists()


def test_a_caller_may_leave_between_two_tries(organization_id: UUID, use_llm: UseLlm) -> None:
    def check() -> None:
        raise _Leaving

    with model_server([refusal(503, "Retry-After: 8")]) as server:
        use_llm(server.base_url, llm_timeout_seconds=30.0)
        with pytest.raises(_Leaving):
            list(complete_stream(replace(completion(timeout_seconds=30.0), check=check)))
    assert len(server.requests) == 1
    assert not Reservation.objects.exists()


def test_the_gateway_reaches_the_operators_address_only(
    organization_id: UUID, use_llm: UseLlm, openai_compatible: ModuleType
) -> None:
    """A provider that was somehow made for another address asks nobody; the configured one still works."""
    with (
        served("127.0.0.1", {"/v1/chat/completions": reply(b"{}")}) as canary,
        model_server([answer("Hi")]) as server,
    ):
        use_llm(server.base_url)
        provider = openai_compatible.OpenAICompatible(
            base_url=canary.url("/v1"), model="m", key="k", first_token_seconds=2
        )
        with pytest.raises(CallFailed) as failure:
            list(provider.stream(completion(), deadline=time.monotonic() + 5))
        assert (failure.value.trouble, failure.value.detail) == (Trouble.REFUSED, "core.address_not_allowed")
        assert canary.hits == 0
        assert collect(completion())[0] == "Hi"


def test_a_model_server_cannot_send_the_gateway_elsewhere(organization_id: UUID, use_llm: UseLlm) -> None:
    with served("127.0.0.1", {"/": reply(b"{}")}) as canary:
        answers = {"/v1/chat/completions": redirect(canary.url(), "307 Go")}
        with served("127.0.0.1", answers) as server:
            use_llm(server.url("/v1"))
            with pytest.raises(ModelUnavailable):
                collect(completion())
        assert canary.hits == 0
