"""Chat completions over HTTP as OpenAI documents them; Ollama, vLLM, llama.cpp and others speak the same.

The address is the operator's setting and nothing else: its transport reaches no other, no redirect is followed, no
proxy is taken from the environment. Retries are the gateway's; this module makes one attempt. Importing it loads the
`openai` package (about 60 MB).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from apps.core import faults
from apps.core.outbound.errors import AddressNotAllowed
from apps.llm.errors import CallFailed
from apps.llm.providers.watched import WatchedTransport, watching
from apps.llm.types import Completion, ProviderChunk, Trouble

CONNECT_SECONDS: Final = 5.0
MAX_CONNECTIONS: Final = 20
_ANSWER_LIMIT_CHARACTERS: Final = 400_000  # a server that never stops


class OpenAICompatible:
    """One endpoint and one model; connections are kept for the process, calls may come from many threads."""

    name = "openai-compatible"

    def __init__(self, *, base_url: str, model: str, key: str | None, first_token_seconds: float) -> None:
        self.model = model
        self._first_token_seconds = first_token_seconds
        limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=5)
        self._http = httpx2.Client(
            transport=WatchedTransport(limits), follow_redirects=False, trust_env=False
        )
        self._client = openai.OpenAI(
            base_url=base_url, api_key=key or "none", max_retries=0, http_client=self._http
        )

    def stream(self, completion: Completion, *, deadline: float) -> Iterator[ProviderChunk]:
        """Yield the pieces of one attempt; see `types.Provider`."""
        with watching(deadline=deadline, check=completion.check):
            yield from self._stream(completion, deadline)

    def _stream(self, completion: Completion, deadline: float) -> Iterator[ProviderChunk]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise CallFailed(Trouble.LATE, "no time left")
        silence = min(left, self._first_token_seconds)
        try:
            answer = self._client.chat.completions.create(
                model=self.model,
                messages=[_message(message.role, message.content) for message in completion.messages],
                max_tokens=completion.budget_tokens,
                temperature=completion.temperature,
                stream=True,
                stream_options={"include_usage": True},
                timeout=httpx2.Timeout(silence, connect=min(CONNECT_SECONDS, silence)),
            )
            with answer:
                yield from _pieces(answer)
        except AddressNotAllowed as error:
            raise CallFailed(Trouble.REFUSED, error.code) from error
        except openai.APITimeoutError as error:
            raise CallFailed(Trouble.LATE, "no sign of life in time", can_retry=True) from error
        except openai.APIConnectionError as error:
            raise CallFailed(
                Trouble.UNREACHABLE, faults.told(error.__cause__ or error), can_retry=True
            ) from error
        except openai.APIStatusError as error:
            raise _refusal(error) from error
        except openai.APIError as error:  # an error object inside the stream
            raise CallFailed(Trouble.BUSY, faults.told(error), can_retry=True) from error
        except (ValueError, AttributeError, TypeError) as error:  # what is no JSON, or JSON of another shape
            raise CallFailed(Trouble.MALFORMED, type(error).__name__) from error

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()


def _pieces(answer: openai.Stream[ChatCompletionChunk]) -> Iterator[ProviderChunk]:
    seen, ended = 0, False
    for chunk in answer:
        if not isinstance(chunk.choices, list):
            raise TypeError("choices")
        choice = chunk.choices[0] if chunk.choices else None
        text = (choice.delta.content or "") if choice is not None else ""
        seen += len(text)
        if seen > _ANSWER_LIMIT_CHARACTERS:
            raise CallFailed(Trouble.MALFORMED, "the answer does not end")
        reason = (choice.finish_reason or "") if choice is not None else ""
        ended = ended or bool(reason)
        usage = chunk.usage
        yield ProviderChunk(
            text=text,
            reason=reason,
            tokens_in=usage.prompt_tokens if usage is not None else None,
            tokens_out=usage.completion_tokens if usage is not None else None,
        )
    if not ended:
        raise CallFailed(Trouble.UNREACHABLE, "the stream ended before the answer did", can_retry=True)


def _refusal(error: openai.APIStatusError) -> CallFailed:
    status = error.status_code
    busy = status in {408, 409, 429} or status >= 500
    return CallFailed(
        Trouble.BUSY if busy else Trouble.REFUSED,
        f"{status}",  # its text may quote the prompt
        can_retry=busy,
        retry_after_seconds=retry_after_seconds(error.response.headers.get("retry-after"), now=time.time()),
    )


def retry_after_seconds(value: str | None, *, now: float) -> float | None:
    """Return the seconds of a Retry-After header, which are a number or a date (RFC 9110, 10.2.3); None
    without one.
    """
    if value is None:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(value).timestamp() - now, 0.0)
    except ValueError:
        return None


def _message(role: str, content: str) -> ChatCompletionMessageParam:
    message: Any = {"role": role, "content": content}  # Any: a union of typed dicts by role
    typed: ChatCompletionMessageParam = message
    return typed
