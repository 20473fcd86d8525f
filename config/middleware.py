"""What every request gets before a view sees it: an id, and in the back office a tenant."""

import uuid


class RequestIdMiddleware:
    """Gives each request an id, repeated in the answer, in the history and in error reports."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.request_id = uuid.uuid4().hex
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id
        return response


class AdminTenantMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)
