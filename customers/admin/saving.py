"""Between the customer page and its services: places for refusals, words for conflicts."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.services import remove_store_profile, set_store_profile
from events.models import HistoryEntry
from tenancy.admin.telling import who


class placed:
    """Renames the fields of a service's refusal to those of the page."""

    def __init__(self, names):
        self.names = names

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            raise ValidationError(
                {self.names.get(name, name): errors for name, errors in error.error_dict.items()}
            ) from error


def write_store_profiles(customer, formset):
    """Bring about what was typed into the table of store profiles."""
    for what, store, values, place in formset.deeds():
        if what == "remove":
            remove_store_profile(customer, store)
            continue
        with placed({name: f"{place}.{name}" for name in values}):
            set_store_profile(customer, store, **values)


def with_present_values(post, form):
    """What was sent, its untouched fields as they stand now: the page must not show old values
    beside the words that somebody has changed them."""
    present = type(form)(instance=Customer.objects.get(pk=form.instance.pk))
    post = post.copy()
    for name, field in present.fields.items():
        if name in form.changed_data or not field.show_hidden_initial:
            continue
        value = present[name].value()
        text = "" if value is None else str(value)
        post[form[name].html_initial_name] = text
        if value is False:
            post.pop(form[name].html_name, None)
        else:
            post[form[name].html_name] = text
    return post


def changed_meanwhile(customer, seen_version):
    """The sentence about a save that met another one: who, and which fields."""
    entries = HistoryEntry.objects.about("customer", customer.pk).filter(version__gt=seen_version)
    people = sorted({who(entry) for entry in entries})
    fields = sorted({name.replace("_", " ") for entry in entries for name in entry.changes})
    return _(
        "%(people)s changed this customer meanwhile (%(fields)s). Nothing is saved yet and your "
        "input stands below: save again to put it on top of that change, or open the page anew."
    ) % {"people": ", ".join(people) or _("Somebody"), "fields": ", ".join(fields) or "–"}
