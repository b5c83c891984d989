"""The product's Django apps, one per subsystem; imports point downwards only."""
