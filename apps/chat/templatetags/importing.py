"""How an import's state looks, and what the codes of its report say."""

from __future__ import annotations

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

_TONES = {
    "checking": "run", "running": "run", "ready": "warn", "done": "ok", "failed": "bad", "refused": "bad",
}  # fmt: skip
_REASONS: dict[str, Promise] = {
    "slack.no_zip": _("This is no ZIP file, or a damaged one."),
    "slack.no_export": _("There is no users.json in it: this is no export of Slack."),
    "slack.duplicate_names": _("Two files in it have the same name, so nobody can say which one is meant."),
    "slack.too_many_files": _("It holds more files than can be listed."),
    "slack.unsafe_name": _("Files whose names lead out of the archive; left out"),
    "slack.unknown_folder": _("Folders that belong to no conversation; left out"),
    "slack.encrypted": _("Files that are encrypted; left out"),
    "slack.bomb": _("Files that are packed far too densely to be honest; left out"),
    "slack.too_large": _("Files that are too large; left out"),
    "slack.damaged": _("Files that are damaged; left out"),
    "slack.no_json": _("Files that are no JSON; left out"),
    "slack.wrong_shape": _("Files that hold no list; left out"),
    "slack.no_person": _("Rows of the list of people that are none; left out"),
    "slack.no_conversation": _("Rows of a list of conversations that are none; left out"),
    "slack.no_message": _("Rows that are no message; left out"),
    "slack.twice": _("What is in the export twice; kept once"),
    "slack.time_invalid": _("Messages without a usable time; left out"),
    "slack.author_missing": _("Messages of nobody; left out"),
    "slack.empty": _("Messages without text and files; left out"),
    "slack.deleted": _("Messages that were deleted in Slack; left out"),
    "slack.system_message": _("What Slack itself wrote, such as “has joined the channel”; left out"),
    "slack.thread_missing": _("Replies to messages that are not in the export; kept as messages"),
    "slack.text_repaired": _("Texts with characters that cannot be stored; replaced"),
    "slack.text_split": _("Texts that are too long for one message; kept as several"),
    "slack.pin_missing": _("Pinned messages that are not in the export; nothing is pinned"),
    "slack.pin_of_no_message": _("Pinned things that are no message; left out"),
    "slack.too_many_pins": _("Pinned messages for which there is no room; kept as messages"),
    "slack.bookmark_refused": _("Bookmarks that are no link to a page; left out"),
    "slack.too_many_bookmarks": _("Bookmarks for which there is no room; left out"),
    "slack.bookmarks_untold": _("Channels of which the export does not say what bookmarks they had"),
    "slack.canvas": _("Canvases; left out"),
    "slack.app_log": _("Lines of Slack's log of apps; left out"),
    "slack.content_flag": _("Reports of content in Slack; left out"),
    "slack.unknown_file": _("Files of the export that are not known here; left out"),
    "slack.emoji_unknown": _("Reactions with an emoji that is not known here; left out"),
    "slack.file_linked": _("Files that the export only links to; the link stays in the text"),
    "slack.file_gone": _("Files that Slack does not have any more; the name stays in the text"),
    "slack.file_refused": _("Files that Slack did not hand out; the link stays in the text"),
    "slack.too_many_files_here": _("Files beyond ten in one message; the link stays in the text"),
    "slack.person_created": _("People without an account here; added without access"),
    "slack.person_without_address": _("People without an e-mail address; added without access"),
    "slack.person_missing": _("People who wrote but are not in the list of people; added without access"),
    "files.too_large": _("Files larger than an upload may be; the link stays in the text"),
    "files.type_refused": _("Files of a kind that is not taken here; the link stays in the text"),
    "files.type_mismatch": _("Files whose content is not what their name says; the link stays in the text"),
    "core.address_not_allowed": _(
        "Files at addresses that may not be reached from here; the link stays in the text"
    ),
    "core.host_unavailable": _("Files whose server did not answer; the link stays in the text"),
}


@register.filter
def import_tone(state: str) -> str:
    """Return the sign of an import's state."""
    return _TONES.get(str(state), "off")


@register.filter
def reason(code: str) -> str:
    """Return the sentence of a report's code, or the code."""
    return str(_REASONS.get(code, code))
