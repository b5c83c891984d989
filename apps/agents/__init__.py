"""The assistant: asked on its own page or mentioned in a conversation, it answers from what the asker may see.

Owns: Agent (a principal of kind agent and how it behaves), Answer (a question, its run, the answer with citations and
what was read for it); the run that searches, reads and writes.

Public: `services.assistants.ensure_assistant`, `services.answers` (ask, stop, regenerate), `selectors.answers`, `types`.
Events in: message.sent. Card: `agents.answer`.
"""
