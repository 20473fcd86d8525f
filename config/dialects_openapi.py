"""The OpenAPI document of a dialect, made of what the dialect declares, its serializers and the
views behind its routes."""

import re
from inspect import getdoc

from django.urls import resolve
from rest_framework import serializers

from api.schema import who_may
from config.dialects_page import field_lines, serves
from dialects.base import Described
from tenancy.permissions import OPERATIONS

# Whatever is asked can be refused so.
REFUSALS = {
    "400": "The request is wrong",
    "401": "No credential, or one that is not accepted",
    "403": "Not allowed",
    "404": "Not there, or not yours",
    "405": "This method is not served here",
    "413": "Too large",
    "429": "Too many requests; see Retry-After",
    "500": "A bug of ours",
    "503": "The database is busy; see Retry-After",
}
TYPES = (
    (serializers.BooleanField, {"type": "boolean"}),
    (serializers.IntegerField, {"type": "integer"}),
    ((serializers.FloatField, serializers.DecimalField), {"type": "number"}),
    (serializers.DateTimeField, {"type": "string", "format": "date-time"}),
    (serializers.DateField, {"type": "string", "format": "date"}),
    (serializers.UUIDField, {"type": "string", "format": "uuid"}),
    (serializers.FileField, {"type": "string", "format": "binary"}),
    ((serializers.DictField, serializers.JSONField), {"type": "object"}),
)
JSON = "application/json"


def openapi(dialect):
    """The document, as a dict."""
    components, paths = {}, {}
    for endpoint in dialect.endpoints:
        if serves(endpoint):
            method, _blank, path = endpoint.partition(" ")
            told = _operation(dialect, endpoint, method, path, components)
            paths.setdefault(_braced(path), {})[method.lower()] = told
    return {
        "openapi": "3.0.3",
        "info": {
            "title": f"{dialect.label}, as Regulars speaks it",
            "version": "v1",
            "description": "\n".join(_introduction(dialect)),
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {"Refusal": dialect.refusal, **components},
            "securitySchemes": dialect.security,
        },
        "security": [{name: []} for name in dialect.security],
    }


def _introduction(dialect):
    head = f"{dialect.format}. Errors: {dialect.errors}. Credentials: {dialect.credentials}."
    return [head, "", "## Fields of a customer", "", *field_lines([dialect])]


def _operation(dialect, endpoint, method, path, components):
    described = dialect.described.get(endpoint, Described())
    view = resolve(re.sub(r"<[^>]+>", "x", path)).func
    action = view.actions[method.lower()]
    text = " ".join((getdoc(getattr(view.cls, action)) or action).split())
    told = {
        "operationId": _operation_id(method, path),
        "summary": re.split(r"[.:;](?: |$)", text)[0],
        "description": f"{text}\n\n{_who(view.cls, action)}".strip(),
        "parameters": [
            *(_parameter(name, {"type": "string"}, "", "path")
              for name in re.findall(r"<([^>]+)>", path)),
            *(_parameter(name, schema, sentence, "query")
              for name, (schema, sentence) in described.parameters.items()),
        ],
        "responses": {
            str(described.status): _answer(described, components),
            **{status: {"description": text, "content": _content({"$ref": REFUSAL})}
               for status, text in REFUSALS.items()},
        },
    }  # fmt: skip
    if described.body is not None:
        told["requestBody"] = {"content": _content(_body(described.body, components))}
    return told


REFUSAL = "#/components/schemas/Refusal"


def _operation_id(method, path):
    words = re.findall(r"[A-Za-z0-9]+", path)
    return "_".join([method.lower(), *words])


def _who(view_class, action):
    name = view_class.operations.get(action, f"{view_class.operation_prefix}.{action}")
    return who_may(name) if name in OPERATIONS else ""


def _parameter(name, schema, sentence, place):
    told = {"name": name, "in": place, "schema": schema, "required": place == "path"}
    return {**told, "description": sentence} if sentence else told


def _answer(described, components):
    if described.status == 204:
        return {"description": "Done"}
    schema = {} if described.answer is None else schema_of(described.answer, components)
    return {"description": "Done", "content": _content(schema)}


def _content(schema):
    return {JSON: {"schema": schema}}


def _body(form, components):
    schema = schema_of(form, components)
    brackets = getattr(form, "brackets", None)
    if brackets is None:
        return schema
    return {"type": "object", "properties": {brackets: schema}, "required": [brackets]}


def _braced(path):
    return re.sub(r"<([^>]+)>", r"{\1}", path)


# --- Serializers ----------------------------------------------------------------------------------
def schema_of(kind, components):
    """The schema of a serializer (class or instance), which `components` then hold by the name of
    its class; a dict, and what stands in it, is taken as it is."""
    if isinstance(kind, dict):
        return {name: _taken(value, components) for name, value in kind.items()}
    if isinstance(kind, serializers.ListSerializer):
        return {"type": "array", "items": schema_of(kind.child, components)}
    cls = kind if isinstance(kind, type) else type(kind)
    if cls.__name__ not in components:
        components[cls.__name__] = {}  # one that holds its own kind must not be looked at again
        components[cls.__name__] = _object(cls, components)
    return {"$ref": f"#/components/schemas/{cls.__name__}"}


def _taken(value, components):
    if isinstance(value, dict) or _is_serializer(value):
        return schema_of(value, components)
    return value


def _is_serializer(value):
    return isinstance(value, serializers.BaseSerializer) or (
        isinstance(value, type) and issubclass(value, serializers.BaseSerializer)
    )


def _object(cls, components):
    fields = cls._declared_fields
    told = {"type": "object", "properties": {}}
    if doc := cls.__doc__:
        told["description"] = " ".join(doc.split())
    for name, declared in fields.items():
        told["properties"][name] = _field(declared, components)
    required = [name for name, declared in fields.items() if declared.required]
    return {**told, "required": required} if required else told


def _field(declared, components):
    if isinstance(declared, serializers.BaseSerializer):
        return schema_of(declared, components)
    if isinstance(declared, serializers.ListField) and _is_serializer(declared.child):
        return {"type": "array", "items": schema_of(declared.child, components)}
    own = getattr(declared, "schema", None)
    schema = dict(_plain(declared) if own is None else own)
    if declared.allow_null:
        schema["nullable"] = True
    if declared.help_text:
        schema["description"] = str(declared.help_text)
    return schema


def _plain(declared):
    if isinstance(declared, serializers.ChoiceField):
        return {"type": "string", "enum": list(declared.choices)}
    if isinstance(declared, serializers.ListField):
        return {"type": "array", "items": _plain(declared.child)}
    text = {"type": "string"}
    return next((schema for kind, schema in TYPES if isinstance(declared, kind)), text)
