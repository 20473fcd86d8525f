"""How many requests an account may send in a minute.

A courtesy among well-meaning programs, counted in the cache: what guards secrets is counted in
the database (`tenancy.services.counting`).
"""

import time

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

from tenancy import secrets
from tenancy.addresses import client_address

WINDOW = 60


class TokenThrottle(BaseThrottle):
    """API_REQUESTS_PER_MINUTE per account; callers without a credential count by address."""

    def allow_request(self, request, view):
        instant = time.time()
        self.remaining = WINDOW - instant % WINDOW
        account = request.user.pk if request.user else f"address:{client_address(request)}"
        window = int(instant // WINDOW)
        key = f"throttle:{secrets.digest(account, purpose='rate')[:40]}:{window}"
        if cache.add(key, 1, timeout=2 * WINDOW):
            return True
        try:
            return cache.incr(key) <= settings.API_REQUESTS_PER_MINUTE
        except ValueError:  # the entry went between the two calls
            return True

    def wait(self):
        return self.remaining
