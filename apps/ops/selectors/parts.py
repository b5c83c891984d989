"""How each part of the system is, in words for the console; a part that is away is named with what it costs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import connection
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.redis import client
from apps.core.relay.loop import LEADER_LOCK
from apps.core.selectors.event_log import EventLogState, event_log_state
from apps.core.selectors.given_up import is_relay_leading
from apps.elyza.services import encoder
from apps.elyza.types import ModelHealth
from apps.ops.selectors.pulses import find_pulses, kept_processes
from apps.ops.types import KeptProcess, PartStatus, Pulse, Tone

LATE_SECONDS = 10.0
LEAST_FREE_SHARE = 0.05
LEAST_FREE_BYTES = 1 << 30
_INSTALLER = "models"  # the supervisor's name for the installation of the `ai` set


@dataclass(frozen=True)
class Looked:
    """What one look found; made once for a page and given to each part."""

    pulses: list[Pulse] | None
    kept: list[KeptProcess]
    log: EventLogState
    model: ModelHealth


def look() -> Looked:
    """Look at everything other processes say. Three queries, two round trips to Redis and the model process."""
    return Looked(find_pulses(), kept_processes(), event_log_state(), encoder.find_health())


def all_parts(looked: Looked) -> list[PartStatus]:
    """Return every part for the status page. Three queries."""
    return [
        web(looked), worker(looked), relay(looked), postgresql(), redis_part(looked), answers(), search(looked),
        storage(), mail(),
    ]  # fmt: skip


def main_parts(looked: Looked) -> list[PartStatus]:
    """Return the six parts of the overview. Three queries."""
    return [web(looked), worker(looked), relay(looked), postgresql(), redis_part(looked), search(looked)]


def headline(parts: Sequence[PartStatus]) -> str:
    """Return one sentence over all parts."""
    down = sum(part.tone == "bad" for part in parts)
    reduced = sum(part.tone == "warn" for part in parts)
    if down:
        return ngettext("%(count)s part does not work", "%(count)s parts do not work", down) % {"count": down}
    if reduced:
        return ngettext(
            "All parts work, %(count)s is reduced", "All parts work, %(count)s are reduced", reduced
        ) % {"count": reduced}
    return _("All parts work")


def web(looked: Looked) -> PartStatus:
    """Web answers, or nobody would read this; how many there are is known from what they say."""
    count = max(1, len(_fresh(looked, "web")))
    said = ngettext("%(count)s process", "%(count)s processes", count) % {"count": count}
    return PartStatus("web", _("Web"), "ok", said)


def worker(looked: Looked) -> PartStatus:
    """Workers do what waits in runs."""
    name, effect = _("Worker"), _("Documents and answers wait; nothing is lost.")
    if looked.pulses is None:
        return PartStatus("worker", name, "warn", _("not heard, as Redis is away"), effect)
    count = len(_fresh(looked, "worker"))
    if not count:
        return PartStatus("worker", name, "bad", _("no worker is heard"), effect)
    return PartStatus(
        "worker", name, "ok", ngettext("%(count)s process", "%(count)s processes", count) % {"count": count}
    )


def relay(looked: Looked) -> PartStatus:
    """The relay moves events on to consumers."""
    name, effect = _("Relay"), _("Index, notices and timers come late; nothing is lost.")
    if not is_relay_leading(LEADER_LOCK):
        return PartStatus("relay", name, "bad", _("no relay leads"), effect)
    if looked.log.lag_seconds > LATE_SECONDS:
        late = number_format(looked.log.lag_seconds, 0)
        return PartStatus("relay", name, "warn", _("%(seconds)s s behind") % {"seconds": late}, effect)
    return PartStatus("relay", name, "ok", _("leads, nothing waits"))


def postgresql() -> PartStatus:
    """PostgreSQL holds everything; while it is away this page is a sentence."""
    begun = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        (version,) = cursor.fetchone()
    said = _("%(version)s, %(milliseconds)s ms") % {
        "version": version.split()[0], "milliseconds": _milliseconds(begun),
    }  # fmt: skip
    return PartStatus("postgresql", "PostgreSQL", "ok", said)


def redis_part(looked: Looked) -> PartStatus:
    """Redis wakes processes up."""
    begun = time.perf_counter()
    try:
        client().ping()
    except redis.RedisError:
        effect = _("Messages arrive up to a second later; presence and typing are not shown.")
        return PartStatus("redis", "Redis", "bad", _("does not answer"), effect)
    tone: Tone = "ok" if looked.pulses is not None else "warn"
    return PartStatus(
        "redis", "Redis", tone, _("%(milliseconds)s ms") % {"milliseconds": _milliseconds(begun)}
    )


def answers() -> PartStatus:
    """Who writes answers: the configured model, or the sources' own sentences."""
    model = settings.CONFIGURATION.model
    if model.llm_base_url and model.llm_model:
        return PartStatus("answers", _("Answers"), "ok", model.llm_model)
    effect = _("Answers are excerpts from the sources. A language model is set by CHATSYSTEM_LLM_BASE_URL.")
    return PartStatus("answers", _("Answers"), "off", _("no language model is configured"), effect)


def search(looked: Looked) -> PartStatus:
    """Search by meaning: the model process and its packages, or the model-free fallback."""
    name = _("Search by meaning")
    words_only = _("Search and answers go by words only.")
    installer = next((line for line in looked.kept if line.name == _INSTALLER), None)
    if encoder.provider() == "hashed" and settings.CONFIGURATION.model.embedding == "hashed":
        return PartStatus("model", name, "off", _("without local models, by choice"), _by_word_parts())
    if installer is not None and installer.state.startswith("installing"):
        return PartStatus("model", name, "run", _("models are being installed"), words_only)
    if installer is not None and installer.state == "failed":
        return PartStatus("model", name, "warn", _("models could not be installed"), words_only)
    if encoder.provider() == "hashed":
        return PartStatus("model", name, "warn", _("no model process is configured"), _by_word_parts())
    said: dict[str, tuple[Tone, str, str]] = {
        "ready": ("ok", _("ready, %(megabytes)s MB") % {"megabytes": looked.model.memory_bytes >> 20}, ""),
        "idle": ("ok", _("idle, loads with the first question"), ""),
        "loading": ("run", _("is loading its model"), words_only),
        "not_installed": ("warn", _("models are not installed"), words_only),
        "failed": ("warn", _("the model cannot be loaded"), words_only),
    }
    tone, text, effect = said.get(looked.model.state, ("warn", _("does not answer"), words_only))
    return PartStatus("model", name, tone, text, effect)


def storage() -> PartStatus:
    """The disk under the data directory."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    said = _("%(free)s GB free of %(total)s GB") % {
        "free": number_format(usage.free / (1 << 30), 1), "total": number_format(usage.total / (1 << 30), 1),
    }  # fmt: skip
    name = _("Storage")
    if usage.free < max(LEAST_FREE_BYTES, usage.total * LEAST_FREE_SHARE):
        return PartStatus("storage", name, "warn", said, _("Uploads are refused once it is full."))
    return PartStatus("storage", name, "ok", said)


def mail() -> PartStatus:
    """The way out for mail; files in its place are normal on one machine and a warning in production."""
    server = settings.CONFIGURATION.mail.server
    if server is not None:
        return PartStatus("mail", _("Mail"), "ok", f"{server.host}:{server.port}")
    tone: Tone = "warn" if settings.PROFILE == "prod" else "off"
    effect = _("Nobody gets mail: hand links on yourself. A server is set by CHATSYSTEM_SMTP_URL.")
    return PartStatus("mail", _("Mail"), tone, _("is written to files"), effect)


def _by_word_parts() -> str:
    return _("Similar words are found by their parts, synonyms are not.")


def _fresh(looked: Looked, process: str) -> list[Pulse]:
    return [pulse for pulse in looked.pulses or () if pulse.process == process and pulse.is_fresh]


def _milliseconds(begun: float) -> str:
    return number_format((time.perf_counter() - begun) * 1000, 1)
