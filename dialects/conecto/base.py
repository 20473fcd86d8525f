"""Conecto's accent: bearer tokens, JSON, `{"error": {"code", "message"}}`."""

from django.http import HttpResponse

from dialects.base import DialectEndpoint, JSONParser, JSONRenderer, TokenAuthentication, dumps

CONTENT_TYPE = "application/json"


class ConectoEndpoint(DialectEndpoint):
    """One resource of Conecto's API."""

    way = "conecto"
    authentication_classes = [TokenAuthentication]
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]

    @classmethod
    def render_problem(cls, problem, request, *, form=None):
        told = problem.errors[0] if problem.errors else None
        message = f"{told['field']}: {told['message']}" if told else problem.detail
        answer = {"error": {"code": problem.code, "message": message}}
        return HttpResponse(dumps(answer), status=problem.status, content_type=CONTENT_TYPE)
