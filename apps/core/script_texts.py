"""Texts that scripts of every page show. A plural is a pair, chosen by `Intl.PluralRules` in the browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps

from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

Texts = dict[str, str | tuple[str, str]]


def once_a_language(texts: Callable[[], Texts]) -> Callable[[], Texts]:
    """Make texts once for each language: a page has a hundred, and they do not change while a process runs."""

    @lru_cache(maxsize=8)
    def made(_language: str | None) -> Texts:
        return texts()

    @wraps(texts)
    def of_reader() -> Texts:
        return made(get_language())

    return of_reader


@once_a_language
def shell_texts() -> Texts:
    """Return the texts of the shell in the reader's language; `{name}` is filled in by the script."""
    return {
        "close": _("Close"),
        "cancel": _("Cancel"),
        "copy": _("Copy"),
        "copied": _("Copied"),
        "copy_failed": _("Your browser did not let this be copied. Choose the text and copy it yourself."),
        "offline": _("No connection."),
        "offline.safe": _("You can keep reading and writing."),
        "offline.waiting": plural(
            ngettext("You can keep reading and writing, {count} message is waiting.",
                     "You can keep reading and writing, {count} messages are waiting.", 1),
            ngettext("You can keep reading and writing, {count} message is waiting.",
                     "You can keep reading and writing, {count} messages are waiting.", 2),
        ),
        "offline.kept": _("As of {time}, kept on this device. What came since is not here."),
        "connect": _("Connect now"),
        "notifications": plural(
            ngettext("{count} unread notification", "{count} unread notifications", 1),
            ngettext("{count} unread notification", "{count} unread notifications", 2),
        ),
        "signed_out": _("You were signed out. Your text is kept in this browser."),
        "sign_in": _("Sign in"),
        "failed": _("That did not work. Nothing was changed."),
        "no_answer": _("The server does not answer. Try again in a moment."),
        "no_answer.write": _(
            "The server does not answer. It may have been done all the same: look before you try again."
        ),
        "request": _("request {id}"),
        "theme.system": _("Theme: as the system"),
        "theme.light": _("Theme: light"),
        "theme.dark": _("Theme: dark"),
        "shortcuts": _("Keyboard shortcuts"),
        "key.Ctrl": pgettext("a key", "Ctrl"),
        "key.End": pgettext("a key", "End"),
        "key.Delete": pgettext("a key", "Del"),
        "shortcuts.off": _("Single keys are switched off in settings."),
        "shortcut.search": _("Search"),
        "shortcut.jump": _("Jump to a conversation, person, page or command"),
        "palette.commands": _("Commands"),
        "palette.search": _("Search messages and documents for “{typed}”"),
        "palette.alone": _("The server does not answer; commands still work."),
        "palette.not_here": _("“{command}” works elsewhere: there is nothing here to do it with."),
        "shortcut.help": _("Show these shortcuts"),
        "shortcut.ask": _("Go to ask"),
        "shortcut.chat": _("Go to chat"),
        "shortcut.place_before": _("Place before in the source"),
        "shortcut.place_after": _("Next place in the source"),
        "shortcut.close": _("Close what is on top"),
    }  # fmt: skip


def plural(one: str, other: str) -> tuple[str, str]:
    """Return both forms of a text with `{count}`."""
    return one, other


def upload_texts() -> Texts:
    """Return what a file on its way says, in the reader's language; for every page that takes files."""
    return {
        "upload.waiting": pgettext("an upload", "waiting"),
        "upload.done": pgettext("an upload", "ready"),
        "upload.of": _("{done} of {total}"),
        "upload.left": _("{seconds} s left"),
        "upload.paused": _("stopped at {percent}%"),
        "upload.progress": _("{name}, {percent} percent"),
        "upload.finished": _("{name} is uploaded"),
        "upload.remove": _("Remove {name}"),
        "upload.offline": _("The connection broke. The upload goes on from here."),
    }
