"""The groups that the import command makes when asked to."""

from django.core.exceptions import ValidationError

from groups.models import Group
from groups.services import create_group


def make_groups(codes):
    """Create the groups that are missing; a code that is none is left to its row's refusal."""
    there = set(Group.objects.filter(code__in=codes).values_list("code", flat=True))
    for code in sorted(codes - there):
        try:
            create_group(code=code)
        except ValidationError:
            continue
