"""The core of the product: conversations, messages and who has read what.

Owns: Conversation with its topics, Membership with read marks and wishes about topics, Message with its revisions,
Reaction, Mention, Attachment, Draft; rendering of Markdown; the one write path `send_batch`; typing and presence; the
socket at `/ws/v1/`.

Public: `services.messages`, `services.conversations`, `services.members`, `services.reactions`, `services.reading`,
`services.drafts`, `services.topics`, `services.moving`, `services.checking`, `selectors.conversations`,
`selectors.channels`, `selectors.topics`, `selectors.unread`, `selectors.waiting`, `selectors.messages`, `types`,
`events`.
Events out: message.sent, message.edited, message.deleted, reaction.added, reaction.removed, conversation.created,
conversation.updated, topic.changed, message.moved, message.moved_away, message.moved_in, member.joined, member.left
(conversation streams); read.moved, topic.preference_changed, conversation.added, conversation.removed, draft.saved
(principal streams).
"""
