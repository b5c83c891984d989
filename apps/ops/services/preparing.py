"""What has to be done before web, worker and relay start: schema, static files, first content."""

from __future__ import annotations

import gc
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from apps.accounts.selectors import people
from apps.accounts.services import sign_in_links
from apps.core.services.database_roles import missing_walls
from apps.notify.services import vapid
from apps.ops.services import demo

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """What the operator is told.

    Attributes:
        sign_in_url: signs the first administrator in, once; empty when there is none.
    """

    sign_in_url: str
    missing_walls: tuple[str, ...]


def prepare(*, with_demo: bool) -> Prepared:
    """Bring schema, partitions, grants, the push key and static files up to date; fill an empty database if asked."""
    _settle_memory()
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT core_make_partitions(2)")
    vapid.ensure_key()
    _collect_static()
    if settings.PROFILE == "prod" and settings.CONFIGURATION.mail.server is None:
        logger.warning("mail.written_to_files", extra={"set": "CHATSYSTEM_SMTP_URL"})
    if with_demo:
        _prepare_demo(Path(settings.DATA_DIR) / "demo.json")
    return Prepared(sign_in_links.administrator_link() or "", tuple(missing_walls()))


def _settle_memory() -> None:
    """Let the garbage collector look less often: it took a quarter of all migrations, for 40 MiB less at their end."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _prepare_demo(target: Path) -> None:
    if people.is_empty():
        demo.create_demo(base_url=settings.PUBLIC_URL, target=target)
    else:
        demo.renew_addresses(base_url=settings.PUBLIC_URL, target=target)


def _collect_static() -> None:
    """Collect static files when the sources changed since the last time."""
    target = Path(settings.STATIC_ROOT)
    stamp = target / ".stamp"
    current = _fingerprint()
    if stamp.exists() and stamp.read_text() == current:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(current)


def _fingerprint() -> str:
    """Return a hash of names, sizes and times of our static files and of the versions that bring others."""
    digest = hashlib.sha256()
    for directory in settings.STATICFILES_DIRS:
        for path in sorted(Path(directory).rglob("*")):
            if path.is_file():
                facts = path.stat()
                digest.update(f"{path}:{facts.st_size}:{facts.st_mtime_ns}\n".encode())
    lock = Path(settings.BASE_DIR) / "requirements" / "base.txt"
    digest.update(lock.read_bytes())
    return digest.hexdigest()
