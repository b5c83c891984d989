"""The relay process: moves the outbox, publishes what was left, drives durable consumers and periodic duties."""
