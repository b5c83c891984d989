"""Tell people what concerns them: in the app, by mail, by Web Push; and say why something came or did not.

Owns: Notification, Delivery (one line per notification and way), Preferences, Level, Keyword, Standing (defaults of an
organization), PushSubscription, PushKey, ReplyAddress. It knows nothing of chat: others announce kinds of
notifications and call `notify`; where they send a reply that came by mail, they announce too.

Public: `services.noticing` (notify, cancel, read), `services.replies` (what takes replies), `services.activity` (who is
at the screen), `selectors.kinds`, `selectors.levels`, `selectors.notifications`, `types`, `events`.
Events out: notification.added, notification.changed, notification.level_changed (principal streams).
"""
