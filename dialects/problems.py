"""How a refusal reaches the wire it happened on.

A view's exceptions go through `DialectEndpoint`. What is refused before there is a view (an unknown
path, a wrong host, a body announced too long) or outside of one comes here: whose words it gets is
read from the URL table, where every dialect's last line takes all paths below its mount.
"""

from django.http import Http404
from django.urls import Resolver404, resolve

from api import problems as house
from api.problems import Problem, field_errors, problem_of, report, wording

__all__ = ["Problem", "field_errors", "problem_of", "refusal", "report", "wording"]


def refusal(request, problem):
    """The answer to `request` in the words of the API that stands at its path; None where no
    dialect does."""
    try:
        view_class = getattr(resolve(request.path_info).func, "cls", None)
    except Resolver404:
        return None
    refuse = getattr(view_class, "refusal", None)
    return refuse(problem, request) if refuse else None


def page_not_found(request, exception):
    """handler404."""
    return refusal(request, problem_of(Http404())) or house.page_not_found(request, exception)


def bad_request(request, exception):
    """handler400: a wrong host, too many parameters, and the like."""
    return refusal(request, problem_of(exception)) or house.bad_request(request, exception)


def permission_denied(request, exception):
    """handler403."""
    return refusal(request, problem_of(exception)) or house.permission_denied(request, exception)


def server_error(request):
    """handler500: for what breaks outside of any view."""
    return refusal(request, problem_of(Exception())) or house.server_error(request)
