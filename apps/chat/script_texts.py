"""Texts that the scripts of a conversation show."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.core.script_texts import Texts, plural


def chat_texts() -> Texts:
    """Return the texts in the reader's language; `{name}` is filled in by the script."""
    return {
        "agent": _("Agent"),
        "deleted": _("This message was deleted."),
        "edited": _("edited"),
        "sending": _("Sending"),
        "waiting": _("Will be sent when you are back online"),
        "not_sent": _("Not sent: {reason}"),
        "send_again": _("Send again"),
        "to_draft": _("Take back to the draft"),
        "new_since": _("New since {since}"),
        "newest": _("Jump to newest"),
        "news": _count(ngettext("{count} new message", "{count} new messages", 1),
                       ngettext("{count} new message", "{count} new messages", 2)),
        "news_in": _count(ngettext("{count} new message in {name}", "{count} new messages in {name}", 1),
                          ngettext("{count} new message in {name}", "{count} new messages in {name}", 2)),
        "mentioned_in_thread": _("You were mentioned in a thread"),
        "replies": _count(ngettext("{count} reply", "{count} replies", 1),
                          ngettext("{count} reply", "{count} replies", 2)),
        "last": pgettext("time of the newest reply", "last"),
        "unread": _("unread"),
        "mentions": _count(ngettext("mention", "mentions", 1), ngettext("mention", "mentions", 2)),
        "typing.one": _("{name} is typing"),
        "typing.two": _("{name} and {other} are typing"),
        "typing.many": _("Several people are typing"),
        "react": _("React"),
        "menu": _("Actions for the message"),
        "menu.reply": _("Reply in thread"),
        "menu.edit": _("Edit"),
        "menu.link": _("Copy link"),
        "menu.text": _("Copy text"),
        "menu.unread": _("Unread from here"),
        "menu.history": _("Older versions"),
        "menu.report": _("Report"),
        "menu.delete": _("Delete"),
        "code.copy": _("Copy"),
        "code.lines": _count(ngettext("{language}, {count} line", "{language}, {count} lines", 1),
                             ngettext("{language}, {count} line", "{language}, {count} lines", 2)),
        "table": _("Table"),
        "waits_for_files": _count(ngettext("Sending waits for {count} file", "Sending waits for {count} files", 1),
                                  ngettext("Sending waits for {count} file", "Sending waits for {count} files", 2)),
        "failed_file": _("Remove the file that failed, or try it again"),
        "too_many_files": _("A message carries at most {limit} files."),
        "upload.waiting": pgettext("an upload", "waiting"),
        "upload.done": pgettext("an upload", "ready"),
        "upload.of": _("{done} of {total}"),
        "upload.left": _("{seconds} s left"),
        "upload.paused": _("stopped at {percent}%"),
        "upload.progress": _("{name}, {percent} percent"),
        "upload.finished": _("{name} is uploaded"),
        "upload.remove": _("Remove {name}"),
        "upload.offline": _("The connection broke. The upload goes on from here."),
        "drop": _("Drop files to attach them"),
        "emoji": _("Choose an emoji"),
        "emoji.find": _("Find an emoji"),
        "emoji.recent": _("Often used"),
        "emoji.none": _("No emoji with these words"),
        "emoji.groups": _("Smileys|People|Parts|Animals and nature|Food|Places|Activities|Objects|Symbols|Flags"),
        "everyone": _("Everyone in this conversation"),
        "shortcut.write": _("Write a message"),
        "shortcut.reply": _("Reply to the chosen message"),
        "shortcut.edit": _("Edit the chosen message"),
        "shortcut.unread": _("Unread from the chosen message"),
        "shortcut.react": _("React to the chosen message"),
        "shortcut.next": _("Next unread conversation"),
        "shortcut.down": _("Next message"),
        "shortcut.up": _("Message before"),
        "shortcut.newest": _("To the newest message"),
        "deleted_done": _("Message deleted"),
        "link_copied": _("Link copied"),
        "archived": _("This channel is archived. It can be read, not written."),
    }  # fmt: skip


_count = plural
