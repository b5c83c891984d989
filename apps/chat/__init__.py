"""The core of the product: conversations, messages and who has read what.

Owns: Conversation, Membership, Message with its revisions, Reaction, Mention, Attachment, Draft; rendering of Markdown;
the one write path `send_batch`; typing and presence; the socket at `/ws/v1/`.

Public: `services.messages`, `services.conversations`, `services.members`, `services.reactions`, `services.reading`,
`services.drafts`, `selectors.conversations`, `selectors.messages`, `types`, `events`.
Events out: message.sent, message.edited, message.deleted, reaction.added, reaction.removed, conversation.created,
conversation.updated, member.joined, member.left (conversation streams); read.moved, conversation.added,
conversation.removed, draft.saved (principal streams).
"""
