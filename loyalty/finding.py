"""Customers by what their accounts have counted: functions over a queryset of customers."""

from django.db.models import Exists, F, OuterRef, Q, Subquery

from loyalty.models import LoyaltyAccount

# What customers can be ordered by: name -> an expression over the account.
ORDERS = {
    "level": F("level__threshold"),
    "transactions_count": F("transactions_count"),
    "transactions_amount": F("transactions_amount"),
    "amount_without_delivery": F("amount_without_delivery"),
    "excluded_amount": F("excluded_amount"),
    "first_purchase_at": F("first_purchase_at"),
    "last_purchase_at": F("last_purchase_at"),
    "recalculated_at": F("recalculated_at"),
}


def narrow_by_account(customers, *conditions):
    """Customers whose account meets all the conditions (Q objects over LoyaltyAccount)."""
    accounts = LoyaltyAccount.objects.filter(*conditions, customer=OuterRef("pk"))
    return customers.filter(Exists(accounts))


def between(column, least=None, most=None):
    """The condition that a counter lies between two integers, both included; None: no bound."""
    condition = Q()
    if least is not None:
        condition &= Q(**{f"{column}__gte": least})
    if most is not None:
        condition &= Q(**{f"{column}__lte": most})
    return condition


def average_between(least=None, most=None):
    """The condition on the average purchase, in minor units; without a purchase it is 0."""
    condition = Q()
    if least is not None and least > 0:
        bought = Q(transactions_amount__gte=F("transactions_count") * least)
        condition &= Q(transactions_count__gt=0) & bought
    if most is not None:
        condition &= Q(transactions_amount__lte=F("transactions_count") * most)
        if most < 0:
            condition &= Q(pk=None)
    return condition


def bought_since(instant):
    """The condition that the last purchase lies at `instant` or after it."""
    return Q(last_purchase_at__gte=instant)


def has_assigned_level():
    """The condition that a level was assigned by hand."""
    return Q(manual_level__isnull=False)


def with_order_of(customers, name):
    """Annotate `order_<name>`, by which the customers can be ordered; see ORDERS."""
    accounts = LoyaltyAccount.objects.filter(customer=OuterRef("pk")).annotate(value=ORDERS[name])
    return customers.annotate(**{f"order_{name}": Subquery(accounts.values("value")[:1])})


def with_average_order(customers):
    """The same by the average purchase, as `order_average`."""
    accounts = LoyaltyAccount.objects.filter(customer=OuterRef("pk"), transactions_count__gt=0)
    average = accounts.annotate(value=F("transactions_amount") * 1.0 / F("transactions_count"))
    return customers.annotate(order_average=Subquery(average.values("value")[:1]))


def on_level(level):
    """The condition that the customer stands on this level."""
    return Q(level=level)
