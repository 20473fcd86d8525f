"""Users and staff members."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tenancy.integrity import refusals
from tenancy.models import AccessToken, StaffMember, StaffStore, User
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services.tokens import revoke_tokens


def create_user(*, email, password=None, name="", is_superuser=False, language=""):
    """Create a user; without a password the person cannot sign in until one is set.

    Raises ValidationError for a malformed or taken e-mail or a password that is too weak.
    """
    user = User(
        email=str(email).strip().lower(), name=name, is_superuser=is_superuser, language=language
    )
    user.set_unusable_password()
    user.full_clean(validate_unique=False, exclude=["password"])
    if password:
        _set_password(user, password)
    with refusals({"tenancy_user_email_key": ("email", _("This e-mail is taken."))}):
        user.save()
    return user


def create_staff(tenant, email, *, role, password=None, name="", stores=(), only_new=False):
    """Make the person with this e-mail a staff member; idempotent by tenant and e-mail.

    An existing user keeps the password; an existing member gets the given role and stores, or
    with `only_new` is refused (`email`, code "unique"). Returns (member, created).
    """
    with in_tenant(tenant), transaction.atomic():
        user = User.objects.filter(email=str(email).strip().lower()).first()
        if user is None:
            user = create_user(email=email, password=password, name=name)
        member = StaffMember.objects.filter(user=user).first()
        if member is not None and only_new:
            taken = ValidationError(_("Already a staff member."), code="unique")
            raise ValidationError({"email": taken})
        if member is not None:
            return update_staff(member, role=role, active=True, stores=stores), False
        with all_tenants():
            first = not user.memberships.exists()
        member = StaffMember(tenant=tenant, user=user, role=role, default=first)
        member.full_clean(validate_unique=False, validate_constraints=False)
        with refusals({"staff_user_once_per_tenant": ("email", _("Already a staff member."))}):
            member.save()
        _set_stores(member, stores)
        return member, True


def update_staff(member, *, role=None, active=None, stores=None):
    """Change role, stores or activity; every token of the member ends when rights shrink."""
    with transaction.atomic():
        member = StaffMember.objects.select_for_update().get(pk=member.pk)
        ends = (active is False and member.active) or (role is not None and role != member.role)
        if role is not None:
            member.role = role
        if active is not None:
            member.active = active
        member.full_clean(validate_unique=False, validate_constraints=False)
        member.save()
        if stores is not None:
            _set_stores(member, stores)
        if ends:
            revoke_tokens(AccessToken.objects.filter(staff=member))
    return member


def set_user_password(user, password):
    """Give a user a new password; every session and token of the person ends."""
    _set_password(user, password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        with all_tenants():
            revoke_tokens(AccessToken.objects.filter(staff__user=user))


def _set_password(user, password):
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.set_password(password)


def _set_stores(member, stores):
    StaffStore.objects.filter(staff=member).delete()
    for store in stores:
        if store.tenant_id != member.tenant_id:
            raise ValidationError({"stores": _("No such store.")})
    StaffStore.objects.bulk_create(
        [StaffStore(tenant=member.tenant, staff=member, store=store) for store in stores]
    )
