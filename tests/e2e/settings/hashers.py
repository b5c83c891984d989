"""Argon2 as the product uses it, with the least of everything."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """For passwords that stand in the sources of the demo."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
