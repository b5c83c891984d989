"""Durable work: a worker is told "look at run X"; truth, timers, retries, waiting and progress live in rows.

Owns: Run, Step, Attempt and the stream frames of a run (RunFrame); leases, heartbeat, retry, cancel,
progress; the Celery task that pokes and the duties that find what is due, lost or poisoned.

Public: `services.steps.step`, `services.context.StepContext`, `services.runs` (`start_run`, `cancel_run`,
`retry_run`), `services.working.work_on`, `selectors.runs`, `selectors.frames`, `types`, `events`, `errors`.
A higher app declares its steps in its own `steps.py`; it is loaded at start.

Promises: one lease at a time; every attempt is a row; no transaction is open while a step works. A step may
run twice (a worker can die after the effect and before the note), so steps are written to be repeated.
Events out: run.queued, run.finished (stream: the member who asked, or the organization for work nobody asked
for).
"""
