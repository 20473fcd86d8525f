"""A password hasher for tests that time answers."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class CheapArgon2(Argon2PasswordHasher):
    """Argon2 with a hundredth of its usual work."""

    time_cost, memory_cost, parallelism = 1, 1024, 1
