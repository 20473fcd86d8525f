"""The secrets that sign: derived, not stored.

A secret is the keyed digest of the endpoint's random salt under one of the numbered peppers, which
the database never sees. A copy of the database is therefore no key ring, and nothing has to be
encrypted. Who removes a pepper ends the secrets that were made with it.
"""

import base64

from tenancy import clock
from tenancy.secrets import current_pepper, digest, random_token

PURPOSE = "webhook secret"


def new_salt():
    """The columns of a fresh secret: {"salt", "pepper"}."""
    return {"salt": random_token(32), "pepper": current_pepper()}


def secret_of(endpoint):
    """The endpoint's secret as its receiver stores it: "whsec_…"."""
    return _secret(endpoint.pk, endpoint.salt, endpoint.pepper)


def secrets_of(endpoint):
    """Every secret that signs now, the newest first: two during a rotation.

    Raises KeyError when the pepper of the newest is no longer configured.
    """
    found = [secret_of(endpoint)]
    if endpoint.previous_until and clock.now() < endpoint.previous_until:
        found.append(_secret(endpoint.pk, endpoint.previous_salt, endpoint.previous_pepper))
    return found


def _secret(key, salt, pepper):
    raw = bytes.fromhex(digest(f"{key}\0{salt}", pepper=pepper, purpose=PURPOSE))
    return f"whsec_{base64.b64encode(raw).decode()}"
