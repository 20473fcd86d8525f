"""The client's network address, believed only as far as configured proxies vouch for it."""

from django.conf import settings


def client_address(request):
    """The address the request came from, as text; "" where there is no request.

    With TRUSTED_PROXIES=n the n-th entry from the right of X-Forwarded-For is the client; without
    it the header is ignored, because anybody can send it.
    """
    if request is None:
        return ""
    depth = settings.TRUSTED_PROXIES
    if depth:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= depth and hops[-depth]:
            return hops[-depth]
    return request.META.get("REMOTE_ADDR", "")
