"""How a form of Open Loyalty is read, and how a refusal is told by its fields."""

from django.core.exceptions import ValidationError
from rest_framework import serializers
from rest_framework.fields import SkipField

from customers.profile import clean_profile
from dialects.base import translated
from dialects.openloyalty.fields import EXTRA, INVALID, WORDED, sentence
from dialects.problems import Problem, field_errors, wording


class FormRefused(Exception):
    """What is sent breaks the rules of the form: [(their field or None, sentence), …]."""

    def __init__(self, told):
        super().__init__()
        self.told = told


@wording(FormRefused)
def _form_refused(error):
    errors = [{"field": name, "code": WORDED, "message": text} for name, text in error.told]
    return Problem(400, "invalid", INVALID, errors)


class Form(serializers.Serializer):
    """A form whose fields stand in `brackets` (None: in none).

    `source` is our word for a field. `silent` are the fields that the vendor's form tree leaves out
    while nothing is wrong with them; `also` maps further paths of ours to a field of theirs.
    """

    brackets = None
    silent = frozenset()
    also = {}

    def read(self, body):
        """Take the form out of a body; our values by their `source` are in `values` then.

        Raises FormRefused: without a sentence where the brackets are not there, else with all
        there is to say, also by the rules of the services.
        """
        self.values = {}
        if self.brackets is not None and self.brackets not in body:
            raise FormRefused([])
        data = body if self.brackets is None else body[self.brackets]
        if data in (None, ""):
            data = {}
        if not isinstance(data, dict):
            raise FormRefused([(None, INVALID)])
        told = [(None, EXTRA)] if set(data) - set(self.fields) else []
        for name, field in self.fields.items():
            try:
                value = field.run_validation(field.get_value(data))
            except SkipField:
                continue
            except serializers.ValidationError as refusal:
                told += self._told(name, refusal.detail)
                continue
            self.values[field.source] = value
        told = told or self.further()
        if told:
            raise FormRefused([*told, *self._told_by_services()])

    def further(self):
        """What is wrong with the values together, each being right: [(field, sentence), …]."""
        return []

    def profile(self):
        """The values as `clean_profile` takes them, by our names."""
        return {}

    def in_their_words(self, problem):
        """A Problem's errors as [(their field or None, their sentence), …]."""
        found = []
        for name, error in translated(problem.errors, self._names()):
            if error["code"] == WORDED:
                found.append((error["field"], error["message"]))
            else:
                found.append((name, sentence(name, error)))
        return list(dict.fromkeys(found))

    def _names(self):
        names = dict(self.also)
        for name, field in self.fields.items():
            names[field.source] = name
            for inner_name, inner in getattr(field, "fields", {}).items():
                names[f"{field.source}.{inner.source}"] = f"{name}.{inner_name}"
        return names

    def _told_by_services(self):
        try:
            clean_profile(self.profile(), tenant=self.context["tenant"])
        except ValidationError as refusal:
            problem = Problem(400, "invalid", "", field_errors(refusal))
            return self.in_their_words(problem)
        return []

    def _told(self, name, detail):
        if isinstance(detail, dict):
            parts = [self._told(f"{name}.{inner}", found) for inner, found in detail.items()]
            return [told for part in parts for told in part]
        return [(name, str(text)) for text in detail]
