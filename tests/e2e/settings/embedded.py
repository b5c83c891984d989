"""The product as it is shipped, except that a password costs next to nothing: else 0.3 s of processor a sign-in."""

from chatsystem.settings.embedded import *  # noqa: F403

PASSWORD_HASHERS = ["tests.e2e.settings.hashers.QuickArgon2PasswordHasher"]
