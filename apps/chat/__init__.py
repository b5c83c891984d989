"""The core of the product: conversations, messages and who has read what.

Owns: Conversation with its topics, Membership with read marks and wishes about topics, Message with its
revisions and what a deleted one said, Reaction, Mention, Attachment,
Draft, ThreadFollow; pins, SavedMessage, Bookmark, Forward, Acknowledgement; ScheduledMessage, Reminder; Poll;
CustomEmoji; LinkPreview; Report, RetentionRule; Status; rendering of Markdown; the one write path `send_batch`; the
grammar of search; typing and presence; the socket at `/ws/v1/`.

Public: `services.messages`, `services.conversations`, `services.members`, `services.reactions`, `services.reading`,
`services.drafts`, `services.polls`, `services.scheduling`, `services.reminders`, `services.topics`, `services.moving`,
`services.checking`, `selectors.conversations`, `selectors.channels`, `selectors.topics`, `selectors.unread`,
`selectors.waiting`, `selectors.messages`, `selectors.threads` (`followers` for those who tell of replies),
`types`, `events`.
Slash commands are announced through `core.commands`, cards through `core.registry`.
Events out: message.*, reaction.*, poll.changed, bookmark.*, conversation.created, conversation.updated, topic.changed,
member.joined, member.left (conversation streams); read.moved, topic.preference_changed, conversation.added,
conversation.removed, draft.saved, thread.follow_changed, message.saved_changed, schedule.changed, reminder.* (principal
streams).
"""
