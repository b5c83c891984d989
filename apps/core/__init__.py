"""Mechanisms without product rules, open to every app.

Owns: typed settings (`conf`), the event log with its consumers (`events`), the tenancy context (`tenancy`), UUIDv7 keys
(`ids`), the error shape (`errors`), HTTP and REST conventions (`http`, `api`), the realtime hub (`realtime`), feature
flags, retry keys, and the registries through which higher apps announce cards, console pages, API routes and event
types. Organization, scope and actor are stored as plain ids; who they are is the business of `accounts`.
"""
