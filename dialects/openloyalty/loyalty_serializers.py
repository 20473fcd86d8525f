"""Open Loyalty's words of the programme: levels, points that are moved, sales."""

from django.core.exceptions import ValidationError as ServiceError
from rest_framework.serializers import ValidationError

import normalise
from dialects.openloyalty.fields import (
    BLANK,
    INVALID,
    KEEP,
    REFUSE,
    TOO_FEW,
    Group,
    Phone,
    Structure,
    Text,
    Tick,
)
from dialects.openloyalty.forms import Form
from dialects.openloyalty.programme import ENTERED
from loyalty.amounts import THOUSANDTHS, money_in, number_in
from loyalty.models import Transaction
from tenancy import clock

KINDS = {"sell": Transaction.Kind.SALE, "return": Transaction.Kind.RETURN}


class OpenLoyaltyReward(Group):
    name = Text(source="reward_name")
    value = Text(source="reward_percent")
    code = Text(source="reward_code")

    def whole(self, values):
        return {name: value for name, value in values.items() if value != ""}


class OpenLoyaltyLevel(Form):
    """`level[…]`: a step of the programme."""

    brackets = "level"
    also = {
        "name": "translations",
        "description": "translations",
        "threshold": "conditionValue",
        "reward_name": "reward.name",
        "reward_percent": "reward.value",
        "reward_code": "reward.code",
        "special_rewards": "specialRewards",
        "min_order": "minOrder",
    }

    translations = Structure()
    active = Tick()
    conditionValue = Text(source="threshold")
    minOrder = Text(source="min_order", blank=None)
    reward = OpenLoyaltyReward()
    specialRewards = Structure(source="special_rewards")
    name = Text(blank=KEEP)
    description = Text()

    def level(self):
        """What `create_level` and `update_level` take."""
        values = dict(self.values)
        translations = values.pop("translations", None)
        if translations is not None:
            entered = translations.pop(ENTERED, None) or next(iter(translations.values()), {})
            values = {**_words(entered), **values, "translations": translations}
        reward = values.pop("reward", None)
        if "special_rewards" in values:
            values["special_rewards"] = list(map(_special, _listed(values["special_rewards"])))
        return {**values, **(reward or {})}


def _words(entered):
    words = entered if isinstance(entered, dict) else {"name": entered}
    return {name: words[name] for name in ("name", "description") if name in words}


def _special(row):
    if not isinstance(row, dict):
        return row
    ours = {"value": "percent", "startAt": "start_at", "endAt": "end_at"}
    return {ours.get(name, name): value for name, value in row.items()}


def _listed(rows):
    return list(rows.values()) if isinstance(rows, dict) else rows


# --- Points -----------------------------------------------------------------------------------
class OpenLoyaltyTransfer(Form):
    """`transfer[…]`: points that a customer gets or spends."""

    brackets = "transfer"
    also = {"reason": "comment", "note": "comment"}

    customer = Text(required=True, blank=REFUSE)
    points = Text(required=True, blank=REFUSE)
    comment = Text()

    def further(self):
        return self._read_points()

    def _read_points(self):
        """Points in hundredths; the vendor moves no part of a point alone."""
        try:
            self.values["points"] = number_in(self.values["points"], minimum=1)
        except ServiceError as refusal:
            few = refusal.error_list[0].code == "min_value"
            return [("points", TOO_FEW if few else INVALID)]
        return []


class OpenLoyaltyEarning(OpenLoyaltyTransfer):
    """The same with a time of validity, of which the programme's rules take no notice."""

    validityDuration = Text(clean=lambda text: normalise.clean_int(text, minimum=1))


class OpenLoyaltyGift(OpenLoyaltyTransfer):
    """`transfer[…]`: points from one customer to another."""

    customer = None
    sender = Text(required=True, blank=REFUSE)
    receiver = Text(required=True, blank=REFUSE)
    also = OpenLoyaltyTransfer.also | {"customer": "sender"}


class OpenLoyaltyOwnGift(OpenLoyaltyGift):
    """The same by the customer who sends."""

    sender = None
    also = OpenLoyaltyTransfer.also | {"customer": "receiver"}


# --- Sales ------------------------------------------------------------------------------------
class OpenLoyaltyDocument(Group):
    documentType = Text(source="kind")
    documentNumber = Text(source="number")
    purchaseDate = Text(source="purchased_at")
    purchasePlace = Text(source="place")


class OpenLoyaltyBuyer(Group):
    """Who bought. Card, e-mail and phone say who it is; the rest is not kept."""

    name = Text()
    email = Text()
    phone = Phone()
    loyaltyCardNumber = Text(source="card_number")
    nip = Text()
    address = Structure()


class OpenLoyaltyTransaction(Form):
    """`transaction[…]`: a sale or a return."""

    brackets = "transaction"
    also = {
        "number": "transactionData.documentNumber",
        "kind": "transactionData.documentType",
        "purchased_at": "transactionData.purchaseDate",
        "amount": "items",
        "lines": "items",
        "card_number": "customerData.loyaltyCardNumber",
        "email": "customerData.email",
        "phone": "customerData.phone",
        "store": "pos",
    }

    transactionData = OpenLoyaltyDocument()
    revisedDocument = Text(source="revises")
    items = Structure()
    customerData = OpenLoyaltyBuyer()
    pos = Text(source="store", blank=KEEP)
    labels = Structure()

    def further(self):
        """What the document must say, and its lines in our words."""
        told, told_of = [], self.values.get("transactionData") or {}
        self.values["kind"] = KINDS.get(told_of.get("kind") or "sell")
        if self.values["kind"] is None:
            told.append(("transactionData.documentType", INVALID))
        if not told_of.get("number"):
            told.append(("transactionData.documentNumber", BLANK))
        if not self.buyer():
            told.append(("customerData", BLANK))
        try:
            self.values["lines"] = list(map(self._line, _listed(self.values.get("items") or [])))
        except (ServiceError, ValidationError):
            told.append(("items", INVALID))
        return told

    def _line(self, item):
        """A line by our names; raises ValidationError."""
        if not isinstance(item, dict):
            raise ValidationError(INVALID)
        sku = item.get("sku")
        texts = {"sku": sku.get("code") if isinstance(sku, dict) else sku}
        texts |= {name: item.get(name) for name in ("name", "category", "maker")}
        currency = self.context["tenant"].currency
        return {
            **{name: text for name, text in texts.items() if text},
            "quantity": number_in(item.get("quantity") or 1, THOUSANDTHS, minimum=None),
            "amount": money_in(item.get("grossValue") or 0, currency, minimum=None),
        }

    def buyer(self):
        """What `match_customer` takes."""
        known = self.values.get("customerData") or {}
        return {name: known[name] for name in ("card_number", "email", "phone") if known.get(name)}

    def transaction(self):
        """What `record_transaction` takes."""
        told_of = self.values["transactionData"]
        return {
            "number": told_of["number"],
            "kind": self.values["kind"],
            "revises": self.values.get("revises", ""),
            "purchased_at": told_of["purchased_at"] or clock.now(),
            "amount": sum(line["amount"] for line in self.values["lines"]),
            "lines": self.values["lines"],
        }
