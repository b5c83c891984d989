"""Conversations, seats, messages and reports; files and documents."""

from __future__ import annotations

from uuid import UUID

from apps.agents.services import answers, assistants
from apps.chat.services import administration, conversations, messages, moderation, retention
from apps.chat.services import members as chat_members
from apps.chat.types import ReportReason, ReportState
from apps.documents.services.documents import delete_document
from apps.files.services.removal import delete_file
from apps.rag.services import embedding
from apps.runs.services.working import work_on
from tests.agents.test_answers import FACT, index_all
from tests.factories.documents import document
from tests.factories.files import upload
from tests.security.acts import Act, Stage


def message_of_ben(stage: Stage) -> UUID:
    """Let Ben say something in a channel."""
    channel = stage.channel()
    chat_members.join(principal=stage.member, conversation_id=channel)
    return stage.say(stage.member, channel)


def _report_of_ben(stage: Stage) -> UUID:
    channel = stage.channel()
    chat_members.join(principal=stage.member, conversation_id=channel)
    said = stage.say(stage.member, channel)  # nobody decides about an own message
    return moderation.report_message(principal=stage.acting, message_id=said, reason=ReportReason.SPAM)


def _hidden_report(stage: Stage) -> UUID:
    report = _report_of_ben(stage)
    moderation.hide(principal=stage.acting, report_id=report)
    return report


def _asked(stage: Stage) -> UUID:
    assistants.ensure_assistant(organization_id=stage.organization.pk)
    stage.say(stage.acting, stage.channel(), FACT)
    index_all()
    embedding.refresh_terms()
    view = answers.ask(principal=stage.acting, question="Wann wird das Getriebeöl gewechselt?", agent_id=None)
    assert view.run_id is not None
    return view.run_id


def _archived(stage: Stage) -> UUID:
    channel = stage.channel()
    administration.set_archived(principal=stage.acting, conversation_id=channel, is_archived=True)
    return channel


ACTS: dict[str, Act] = {
    "conversation.archived": Act(
        lambda s, channel: administration.set_archived(
            principal=s.acting, conversation_id=channel, is_archived=True
        ),
        lambda s: s.channel(),
    ),
    "conversation.unarchived": Act(
        lambda s, channel: conversations.update_conversation(
            principal=s.acting, conversation_id=channel, is_archived=False
        ),
        _archived,
    ),
    "conversation.visibility_changed": Act(
        lambda s, channel: conversations.update_conversation(
            principal=s.acting, conversation_id=channel, is_private=True
        ),
        lambda s: s.channel(),
    ),
    "seat.added": Act(
        lambda s, channel: chat_members.add_people(
            principal=s.acting, conversation_id=channel, people=[s.ben.user_id]
        ),
        lambda s: s.channel(),
    ),
    "seat.removed": Act(
        lambda s, channel: chat_members.remove_person(
            principal=s.acting, conversation_id=channel, person_id=s.ben.user_id
        ),
        lambda s: s.channel(s.ben),
    ),
    "message.removed": Act(
        lambda s, message: messages.delete_message(principal=s.acting, message_id=message), message_of_ben
    ),
    "message.hidden": Act(lambda s, made: moderation.hide(principal=s.acting, report_id=made), _report_of_ben),
    "message.shown": Act(
        lambda s, made: moderation.decide(
            principal=s.acting, report_id=made, decision=ReportState.DISMISSED
        ),
        _hidden_report,
    ),
    "report.read": Act(
        lambda s, made: moderation.read_report(principal=s.acting, report_id=made), _report_of_ben
    ),
    "report.decided": Act(
        lambda s, made: moderation.decide(
            principal=s.acting, report_id=made, decision=ReportState.DISMISSED
        ),
        _report_of_ben,
    ),
    "retention.rule_set": Act(
        lambda s, _: retention.set_rule(principal=s.acting, conversation_id=None, days=30)
    ),
    "retention.rule_removed": Act(
        lambda s, made: retention.remove_rule(principal=s.acting, rule_id=made),
        lambda s: retention.set_rule(principal=s.acting, conversation_id=None, days=30),
    ),
    "file.deleted": Act(
        lambda s, file: delete_file(principal=s.acting, file_id=file.id), lambda s: upload(s.owner)
    ),
    "document.deleted": Act(
        lambda s, made: delete_document(principal=s.acting, document_id=made.id),
        lambda s: document(s.owner, "a.txt", b"text of a document\n"),
    ),
    "retrieval.read": Act(
        lambda s, run: work_on(run_id=run), _asked, actor="agent", on_behalf_of="owner"
    ),
}  # fmt: skip
