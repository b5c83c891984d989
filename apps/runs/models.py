"""Runs, their steps, each attempt at a step, and the stream frames a reader can resume from."""

from django.db import models
from django.db.models.functions import Now

from apps.core.models import TenantModel
from apps.runs.types import AttemptOutcome, RunState, StepState


class Run(TenantModel):
    """One piece of durable work. A worker holds it by a lease; without `due_at` nothing is to be done."""

    kind = models.CharField(max_length=60)
    queue = models.CharField(max_length=20, default="default")
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.QUEUED)
    principal = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    credential = models.CharField(
        max_length=40, blank=True, default="", help_text="Id of the session, key or token family that asked."
    )
    member_id = models.UUIDField(
        null=True, help_text="The principal's seat: the stream that hears of this run."
    )
    scope = models.ForeignKey(
        "accounts.Scope", null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False,
        help_text="Who may see it besides the principal.",
    )  # fmt: skip
    conversation_id = models.UUIDField(null=True, help_text="Whose readers hear of the progress.")
    subject_type = models.CharField(max_length=40, blank=True, default="")
    subject_id = models.UUIDField(null=True)
    retry_key = models.CharField(max_length=200, null=True)  # noqa: DJ001 - empty must not be unique
    input = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_text = models.TextField(blank=True, default="")
    stage = models.CharField(
        max_length=80, blank=True, default="", help_text="English text key of what happens now."
    )
    progress_current = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    steps_total = models.PositiveIntegerField(default=0)
    steps_done = models.PositiveIntegerField(default=0)
    steps_failed = models.PositiveIntegerField(default=0)
    priority = models.SmallIntegerField(default=0, help_text="Higher is looked at first.")
    cancel_requested_at = models.DateTimeField(null=True)
    lease_owner = models.CharField(max_length=120, blank=True, default="")
    lease_expires_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # starting twice with one key returns the first run
            models.UniqueConstraint(fields=["organization", "kind", "retry_key"], name="runs_run_retry_key"),
            models.CheckConstraint(
                condition=models.Q(lease_owner="") | models.Q(lease_expires_at__isnull=False),
                name="runs_run_lease",
            ),
        ]
        indexes = [
            # own list, newest first
            models.Index(fields=["organization", "principal", "-id"], name="runs_run_principal"),
            # the runs of an audience
            models.Index(fields=["organization", "scope", "-id"], name="runs_run_scope"),
            # the console's lists by state, newest first, and how many are open
            models.Index(fields=["organization", "state", "-id"], name="runs_run_state"),
            # what failed lately, in whole or in parts
            models.Index(
                fields=["organization", "finished_at"],
                condition=models.Q(steps_failed__gt=0),
                name="runs_run_failures",
            ),
            # what happened to this document or message
            models.Index(fields=["organization", "subject_id"], name="runs_run_subject"),
            # the duty that pokes what is due and unleased
            models.Index(fields=["due_at"], condition=models.Q(lease_owner=""), name="runs_run_due"),
            # the duty that finds lost workers
            models.Index(
                fields=["lease_expires_at"], condition=~models.Q(lease_owner=""), name="runs_run_leased"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Step(TenantModel):
    """A part of a run. Steps of one position may come in any order; a position waits for all before it."""

    run = models.ForeignKey("runs.Run", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    name = models.CharField(max_length=60)
    key = models.CharField(max_length=80, blank=True, default="", help_text="Tells steps of one name apart.")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=StepState.choices, default=StepState.QUEUED)
    is_optional = models.BooleanField(
        default=False, help_text="Its failure is counted and does not end the run."
    )
    input = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    progress_current = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Attempts that ended with an error.")
    losses = models.PositiveSmallIntegerField(default=0, help_text="Attempts whose worker was lost.")
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_text = models.TextField(blank=True, default="")
    due_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # adding the same step again changes nothing
            models.UniqueConstraint(fields=["run", "name", "key"], name="runs_step_once"),
        ]
        indexes = [
            # the next steps of a run, and the list of its steps in order
            models.Index(fields=["run", "state", "position", "id"], name="runs_step_next"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.key}".strip()


class Attempt(models.Model):
    """One try of one step, by one worker."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    step = models.ForeignKey("runs.Step", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    number = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=120)
    outcome = models.CharField(max_length=12, choices=AttemptOutcome.choices, default=AttemptOutcome.RUNNING)
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_text = models.TextField(blank=True, default="", help_text="For operators: may hold a trace.")
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="runs_attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.step_id}"


class RunFrame(models.Model):
    """One frame of a run's stream, kept so that a reader can go on after the last number it saw."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey("runs.Run", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    number = models.PositiveIntegerField()
    type = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # resume: the frames of a run after a number; two workers can never write the same number
            models.UniqueConstraint(fields=["run", "number"], name="runs_frame_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}#{self.number}"
