"""The filters of the customer list."""

from datetime import datetime, time, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter, RangeDateFilter

from customers.imports.touched import touched_by
from customers.models import Customer, Email, ImportRun
from groups.models import Group
from groups.querysets import in_group, reachable_in
from loyalty.models import Level, Lot, LoyaltyAccount
from loyalty.sums import EXPIRING_SOON
from tenancy import clock
from tenancy.models import Store


class ChoicesOf(DropdownFilter):
    """One of a fixed set of values of one column."""

    column = ""
    choices_class = None

    def lookups(self, request, model_admin):
        return self.choices_class.choices

    def queryset(self, request, queryset):
        value = self.value()
        if value not in self.choices_class.values:
            return queryset
        return queryset.filter(**{self.column: value})


class StatusFilter(ChoicesOf):
    title, parameter_name, column = _("status"), "status", "status"
    choices_class = Customer.Status


class ImportFilter(DropdownFilter):
    """Whom one import made or changed; offered by the page of the import alone."""

    title, parameter_name = _("import"), "import"

    def lookups(self, request, model_admin):
        run = self._run(request)
        return [(str(run.pk), run.file_name or str(run))] if run else []

    @staticmethod
    def _run(request):
        asked = request.GET.get("import", "")
        try:
            key = UUID(asked)
        except ValueError:
            return None
        if not request.user.has_perm("imports.list"):
            return None
        return ImportRun.objects.filter(pk=key).first()

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        run = self._run(request)
        return touched_by(run, queryset) if run else queryset.none()


class KindFilter(ChoicesOf):
    title, parameter_name, column = _("kind"), "kind", "kind"
    choices_class = Customer.Kind


class OwnRow(DropdownFilter):
    """One of the tenant's own stores or groups, by id."""

    model = None
    LIMIT = 500

    def lookups(self, request, model_admin):
        return [(str(row.pk), str(row)) for row in self.model.objects.all()[: self.LIMIT]]

    def chosen(self):
        """The chosen row, or None where nothing (or nothing of this tenant) is chosen."""
        chosen = [pk for pk, _name in self.lookup_choices if pk == self.value()]
        return self.model.objects.get(pk=chosen[0]) if chosen else None


class StoreFilter(OwnRow):
    title, parameter_name, model = _("home store"), "store", Store

    def queryset(self, request, queryset):
        store = self.chosen()
        return queryset if store is None else queryset.at_store(store)


class LevelFilter(OwnRow):
    title, parameter_name, model = _("level"), "level", Level

    def queryset(self, request, queryset):
        level = self.chosen()
        if level is None:
            return queryset
        accounts = LoyaltyAccount.objects.filter(level=level, customer=OuterRef("pk"))
        return queryset.filter(Exists(accounts))


class ExpiringFilter(RadioFilter):
    """Whose points expire soon."""

    title, parameter_name = _("points expire"), "expiring"

    def lookups(self, request, model_admin):
        return [("soon", _("In the next %(n)s days") % {"n": EXPIRING_SOON.days})]

    def queryset(self, request, queryset):
        if self.value() != "soon":
            return queryset
        instant = clock.now()
        lots = Lot.objects.expiring(instant, instant + EXPIRING_SOON)
        # As one join: the database may begin with the lots where they are few, and with the
        # customers in their order where they are many.
        return queryset.filter(Exists(lots.filter(account__customer=OuterRef("pk"))))


class GroupFilter(OwnRow):
    title, parameter_name, model = _("group"), "group", Group

    def queryset(self, request, queryset):
        group = self.chosen()
        return queryset if group is None else in_group(queryset, group)


class ReachableFilter(DropdownFilter):
    """May be written to; together with a group: about that group."""

    title, parameter_name = _("reachable"), "reachable"

    def lookups(self, request, model_admin):
        return [
            ("any", _("By any way")),
            ("email", _("By e-mail")),
            ("sms", _("By SMS")),
            ("post", _("By post")),
        ]

    def queryset(self, request, queryset):
        value = self.value()
        if value not in ("any", "email", "sms", "post"):
            return queryset
        channel = None if value == "any" else value
        group = GroupFilter(request, dict(request.GET.lists()), Customer, None).chosen()
        if group is not None:
            return reachable_in(queryset, group, channel)
        return queryset.reachable(channel)


class YesNo(RadioFilter):
    def lookups(self, request, model_admin):
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request, queryset):
        if self.value() == "yes":
            return self.yes(queryset)
        if self.value() == "no":
            return self.no(queryset)
        return queryset


class MarketingFilter(YesNo):
    title, parameter_name = _("marketing consent"), "marketing"

    def yes(self, queryset):
        return queryset.with_consent("marketing").filter(consent_marketing=True)

    def no(self, queryset):
        # Also those who were never asked.
        said = queryset.with_consent("marketing")
        return said.filter(Q(consent_marketing=False) | Q(consent_marketing=None))


class HasEmailFilter(YesNo):
    title, parameter_name = _("e-mail on file"), "has_email"

    def _emails(self):
        return Exists(Email.objects.filter(customer=OuterRef("pk")))

    def yes(self, queryset):
        return queryset.filter(self._emails())

    def no(self, queryset):
        return queryset.filter(~self._emails())


class AnonymisedFilter(YesNo):
    title, parameter_name = _("anonymised"), "anonymised"

    def yes(self, queryset):
        return queryset.filter(anonymised_at__isnull=False)

    def no(self, queryset):
        return queryset.identifiable()


class HiddenFilter(RadioFilter):
    """Hidden customers show only when somebody asks for them."""

    title, parameter_name = _("hidden"), "hidden"
    all_option = ["", _("Not the hidden ones")]

    def lookups(self, request, model_admin):
        return [("only", _("Only the hidden ones")), ("all", _("All"))]

    def queryset(self, request, queryset):
        if self.value() == "all":
            return queryset
        return queryset.filter(hidden=self.value() == "only")


class RegisteredFilter(RangeDateFilter):
    """Registered from … to …, whole days of the tenant's time zone; nonsense is ignored."""

    def queryset(self, request, queryset):
        start = self._day(f"{self.field_path}_from")
        end = self._day(f"{self.field_path}_to")
        if start is not None:
            queryset = queryset.filter(created_at__gte=self._midnight(start))
        if end is not None:
            queryset = queryset.filter(created_at__lt=self._midnight(end + timedelta(days=1)))
        return queryset

    def _day(self, name):
        try:
            day = parse_date(str(self.used_parameters.get(name, "")).strip())
        except ValueError:
            return None
        return day if day is not None and 1000 < day.year < 9000 else None

    def _midnight(self, day):
        return timezone.make_aware(datetime.combine(day, time.min))
