"""Figures of deliveries."""

from prometheus_client import Counter, Histogram

decided_total = Counter(
    "chatsystem_notifications_decided_total", "Ways decided on, and how", ["channel", "outcome"]
)
settled_total = Counter(
    "chatsystem_notification_deliveries_total", "Deliveries that ended, and how", ["channel", "outcome"]
)
lag_seconds = Histogram(
    "chatsystem_notification_lag_seconds",
    "From when a delivery was due until it was sent",
    ["channel"],
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 1800),
)
