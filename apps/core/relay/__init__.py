"""The relay process: moves the outbox, publishes leftovers, chains the trail, drives consumers and duties."""
