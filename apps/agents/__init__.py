"""The assistant: asked on its own page or mentioned in a conversation, it answers from what the asker may see.

Owns: Agent (a principal of kind agent and how it behaves), Answer (a question, its run, the answer with citations and
what was read for it); the run that searches, reads and writes.

Public: `services.assistants.ensure_assistant`, `services.answers` (ask, stop, regenerate), `selectors.answers`,
`types`, `events`.
Events in: message.sent, message.edited, member.changed, run.finished. Events out: answer.completed.
Card: `agents.answer`.

In a conversation an answer rests only on what all its readers may see. Where its asker may see better, a second
answer follows for the asker alone, and only the asker hears of it.
"""
