"""Changing users: what operators do."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tenancy.models import AccessToken, User
from tenancy.scoping import all_tenants
from tenancy.services.tokens import revoke_tokens

USER_FIELDS = ("name", "language", "is_active", "is_superuser")


def _check_language(code):
    """Refuse a language that the back office does not speak; empty leaves it to the browser."""
    if code and code not in dict(settings.LANGUAGES):
        raise ValidationError(
            {"language": ValidationError(_("No language of the back office."), code="invalid")}
        )


def update_user(user, **changes):
    """Change a user's name, language, activity or operator's rights and return the user.

    Every token of the person ends with the activity. Raises ValidationError by field; the last
    active operator can neither be deactivated nor stop being one (code "last_operator").
    """
    unknown = set(changes) - set(USER_FIELDS)
    if unknown:
        raise TypeError(f"a user has no field {sorted(unknown)[0]!r} to set")
    with transaction.atomic():
        # All operators at once: two who deactivate each other must not both succeed.
        operators = set(
            User.objects.select_for_update()
            .filter(is_superuser=True, is_active=True)
            .values_list("pk", flat=True)
        )
        user = User.objects.select_for_update().get(pk=user.pk)
        for name, value in changes.items():
            setattr(user, name, value)
        _check_language(user.language)
        if operators == {user.pk} and not (user.is_active and user.is_superuser):
            field = "is_superuser" if user.is_active else "is_active"
            last = ValidationError(_("This is the last active operator."), code="last_operator")
            raise ValidationError({field: last})
        user.full_clean(validate_unique=False, validate_constraints=False, exclude=["password"])
        user.save(update_fields=[*changes])
        if not user.is_active:
            with all_tenants():
                revoke_tokens(AccessToken.objects.filter(staff__user=user))
    return user
