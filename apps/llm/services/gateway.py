"""One model call: budget before, ledger after, retries only while nothing was said yet."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.conf import settings

from apps.llm.errors import CallFailed, ModelUnavailable, PromptTooLong
from apps.llm.services import budget, metrics
from apps.llm.services.providers import find_provider
from apps.llm.services.tokens import estimate_prompt, estimate_tokens
from apps.llm.types import Completion, Finished, Provider, ProviderChunk, TextDelta, Trouble, Usage

PAUSE_SECONDS = (0.5, 1.5)
LOOK_SECONDS = 0.25  # how long a caller that wants to leave may have to wait
LONGEST_PAUSE_SECONDS = 10.0  # longer waits belong to a run, not to a call
_MILLION = Decimal(1_000_000)
logger = logging.getLogger(__name__)


def complete_stream(completion: Completion) -> Generator[TextDelta | Finished, None, None]:
    """Yield the answer of the configured model, piece by piece, and at the end what it cost.

    The call is made when the first piece is asked for; a caller that stops reading closes the iterator, which
    ends the call and settles what was used. Must not run inside a transaction: the budget's rows are
    committed before the call.

    Raises:
        ModelUnavailable: none is configured, or it failed before its first piece, retries included; nothing was
            said. BudgetSpent, PromptTooLong: nothing was asked.
        Also what `completion.check` raises.
    After the first piece nothing else is raised: a call that breaks off ends with `Finished.broken`, and is never
    started anew.
    """
    provider = find_provider()
    if provider is None:
        raise ModelUnavailable(Trouble.NOT_CONFIGURED)
    tokens_in = estimate_prompt(completion.messages)
    if tokens_in + completion.budget_tokens > settings.CONFIGURATION.model.llm_context_tokens:
        raise PromptTooLong
    reservation = budget.reserve(
        tokens=tokens_in + completion.budget_tokens, timeout_seconds=completion.timeout_seconds
    )
    call = _Call(completion, provider, reservation, tokens_in)
    try:
        yield from call.run()
    finally:
        call.settle()


@dataclass
class _Call:
    """The state of one call: what was said, what was counted, how it ended."""

    completion: Completion
    provider: Provider
    reservation: UUID
    estimated_in: int
    said: list[str] = field(default_factory=list)
    reason: str = ""
    counted_in: int | None = None
    counted_out: int | None = None
    outcome: str = "stopped"  # the reader left; replaced at any other end
    reached: bool = False

    def run(self) -> Iterator[TextDelta | Finished]:
        """Yield the pieces and the end."""
        started = time.monotonic()
        broken: Trouble | None = None
        try:
            for chunk in self._attempts(started + self.completion.timeout_seconds):
                if not chunk.text:
                    continue
                if not self.said:
                    metrics.FIRST_TOKEN_SECONDS.observe(time.monotonic() - started)
                self.said.append(chunk.text)
                yield TextDelta(chunk.text)
        except CallFailed as error:
            self.outcome = str(error.trouble)
            logger.warning(
                "llm_call_failed",
                extra={"trouble": str(error.trouble), "detail": error.detail, "said": bool(self.said)},
            )
            if not self.said:
                raise ModelUnavailable(error.trouble) from error
            broken = error.trouble
        else:
            if not self.said:
                self.outcome = str(Trouble.EMPTY)
                raise ModelUnavailable(Trouble.EMPTY)
            self.outcome = "done"
        yield Finished(self.provider.name, self.provider.model, self.usage(), self.reason, broken)

    def usage(self) -> Usage:
        """Return the provider's count, or ours where it gave none."""
        counted = self.counted_in is not None and self.counted_out is not None
        tokens_in = self.counted_in if self.counted_in is not None else self.estimated_in
        tokens_out = self.counted_out if self.counted_out is not None else estimate_tokens("".join(self.said))
        chosen = settings.CONFIGURATION.model
        cost = (tokens_in * chosen.llm_price_in + tokens_out * chosen.llm_price_out) / _MILLION
        return Usage(tokens_in, tokens_out, not counted, cost.quantize(Decimal("0.000001")))

    def settle(self) -> None:
        """Write the ledger, or free the reservation of a call that reached no model."""
        metrics.CALLS.labels(purpose=self.completion.caller.purpose, outcome=self.outcome).inc()
        if not self.reached:
            budget.release(reservation_id=self.reservation)
            return
        usage = self.usage()
        metrics.TOKENS.labels(direction="in").inc(usage.tokens_in)
        metrics.TOKENS.labels(direction="out").inc(usage.tokens_out)
        budget.settle(
            reservation_id=self.reservation,
            caller=self.completion.caller,
            provider=self.provider.name,
            model=self.provider.model,
            usage=usage,
            outcome=self.outcome,
        )

    def _attempts(self, deadline: float) -> Iterator[ProviderChunk]:
        retries = self.completion.retries
        for attempt in range(retries + 1):
            try:
                yield from self._attempt(deadline)
            except CallFailed as error:
                pause = error.retry_after_seconds
                if pause is None and attempt < retries:
                    pause = PAUSE_SECONDS[attempt] * random.uniform(0.75, 1.25)  # noqa: S311 - only spreads retries
                if self.said or not error.can_retry or attempt == retries or pause is None:
                    raise
                if pause > LONGEST_PAUSE_SECONDS or time.monotonic() + pause >= deadline:
                    raise
                metrics.RETRIES.labels(trouble=error.trouble).inc()
                self._wait(pause)
            else:
                return

    def _wait(self, seconds: float) -> None:
        over = time.monotonic() + seconds
        while (left := over - time.monotonic()) > 0:
            self.completion.check()
            time.sleep(min(left, LOOK_SECONDS))

    def _attempt(self, deadline: float) -> Iterator[ProviderChunk]:
        for chunk in self.provider.stream(self.completion, deadline=deadline):
            self.reached = True
            self.reason = chunk.reason or self.reason
            self.counted_in = chunk.tokens_in if chunk.tokens_in is not None else self.counted_in
            self.counted_out = chunk.tokens_out if chunk.tokens_out is not None else self.counted_out
            yield chunk
