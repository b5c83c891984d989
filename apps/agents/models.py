"""Agents and their answers."""

from django.db import models

from apps.agents.types import AnswerState, Outcome
from apps.core.models import TenantModel


class Agent(TenantModel):
    """A principal of kind agent, and how it behaves."""

    principal = models.OneToOneField("accounts.User", on_delete=models.PROTECT, related_name="+")
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True, default="")
    instructions = models.TextField(
        blank=True, default="", help_text="What it is told before every question."
    )
    is_enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="agents_agent_key")]

    def __str__(self) -> str:
        return self.name


class Answer(TenantModel):
    """A question, the run that answers it, and what came of it."""

    agent = models.ForeignKey("agents.Agent", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    asker = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    run_id = models.UUIDField(null=True)
    conversation_id = models.UUIDField(
        null=True, help_text="Empty: asked on the ask page, for the asker alone."
    )
    question_message_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True, help_text="The message that carries the answer.")
    thread_id = models.UUIDField(null=True)
    question = models.TextField()
    body = models.TextField(blank=True, default="")
    html = models.TextField(blank=True, default="")
    state = models.CharField(max_length=8, choices=AnswerState.choices, default=AnswerState.WRITING)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True, default=Outcome.NONE)
    sources = models.JSONField(default=list)
    claims = models.JSONField(default=list, help_text="Each sentence, and whether its sources say so.")
    read = models.JSONField(default=list, help_text="Every passage that was read for it, with its scope.")
    words_only = models.BooleanField(default=False)
    left_out = models.BooleanField(
        default=False, help_text="The asker may see better sources than all readers."
    )
    completes = models.UUIDField(
        null=True, help_text="The shared answer that this one gives more to, privately."
    )
    usage = models.JSONField(default=dict, help_text="Provider, model and tokens; empty without a model.")
    searched_again = models.BooleanField(
        db_default=False,
        default=False,
        help_text="A source was changed or taken away while it was written; done once.",
    )
    regenerated_from = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # one run per message and agent, however often the mention is heard of
            models.UniqueConstraint(
                fields=["agent", "question_message_id"],
                condition=models.Q(regenerated_from=None) & ~models.Q(question_message_id=None),
                name="agents_answer_once",
            ),
            # a shared answer is completed once
            models.UniqueConstraint(
                fields=["completes"], condition=~models.Q(completes=None), name="agents_answer_completed_once"
            ),
        ]
        indexes = [
            # the asker's own history, newest first
            models.Index(fields=["organization", "asker", "-id"], name="agents_answer_asker"),
            # the answer of a message's card
            models.Index(fields=["run_id"], name="agents_answer_run"),
        ]

    def __str__(self) -> str:
        return self.question[:80]
