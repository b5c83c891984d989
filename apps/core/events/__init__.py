"""The event log (the message bus of the house): record inside the transaction, publish after it, consume by cursor.

`types` holds the base class and the registry, `log.record` writes, `subscribers` declares who listens, `consumers`
runs the durable ones, `feed` moves the outbox into the global order.
"""
