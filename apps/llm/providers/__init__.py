"""Providers, each in a module of its own; loaded only when one is configured: their libraries are large."""
