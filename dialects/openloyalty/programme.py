"""The loyalty programme in Open Loyalty's words: levels, purchases, coupons, the status."""

from decimal import Decimal

from loyalty.amounts import money_out, number_out
from loyalty.models import Redemption
from loyalty.services import levels_of
from normalise import minor_unit_places
from tenancy import clock

# The language of names as they are entered.
ENTERED = "en"


def percent(hundredths):
    """`15.00%`, from hundredths of a percent."""
    return f"{number_out(hundredths):,.2f}%"


def levels_by_id(tenant):
    """Every level of the tenant by its id."""
    return {level.pk: level for level in levels_of(tenant)}


def level_object(level, locale):
    """A level as a customer shows it, its name in `locale`."""
    return {
        "levelId": {"id": level.pk, "levelId": level.pk},
        "name": level.told(locale)[0],
        "translations": translations_of(level),
    }


def translations_of(level):
    """The level's names by language."""
    told = {ENTERED: {"name": level.name}}
    told |= {
        language: {"name": words.get("name") or level.name}
        for language, words in level.translations.items()
    }
    return told


def standing(part, levels, locale):
    """The fields of a customer that tell of level and purchases; `part` is the record's."""
    part = part or {}
    level = levels.get(part.get("level_id"))
    assigned = part.get("assigned_level_id")
    amount, count = part.get("transactions_amount", 0), part.get("transactions_count", 0)
    return {
        "lastLevelRecalculation": part.get("recalculated_at"),
        "firstPurchaseAt": part.get("first_purchase_at"),
        "levelId": level and level.pk,
        "manuallyAssignedLevelId": assigned and {"levelId": assigned},
        "transactionsCount": count,
        "transactionsAmount": amount,
        "transactionsAmountWithoutDeliveryCosts": part.get("amount_without_delivery", 0),
        "amountExcludedForLevel": part.get("excluded_amount", 0),
        "averageTransactionAmount": unrounded(amount, count),
        "lastTransactionDate": part.get("last_purchase_at"),
        "level": level and level_object(level, locale),
        "levelPercent": level and percent(level.reward_percent),
    }


def unrounded(amount, count):
    """The average as a number that is not rounded; 0 without a purchase."""
    if not count:
        return 0
    average = float(Decimal(amount) / count)
    return int(average) if average.is_integer() else average


def coupons_of(customer_ids, moment):
    """{customer id: campaignPurchases}, the oldest first, in one query; `moment` writes a time."""
    now = clock.now()
    found = {}
    rows = Redemption.objects.filter(account__customer__in=customer_ids)
    rows = rows.order_by("redeemed_at", "id").values(
        *("id", "account__customer_id", "reward_id", "cost", "coupon", "redeemed_at"),
        *("active_until", "used_at", "delivery", "cancelled_at"),
    )
    for row in rows:
        ended = row["active_until"] is not None and row["active_until"] <= now
        status = "cancelled" if row["cancelled_at"] else "expired" if ended else "active"
        found.setdefault(row["account__customer_id"], []).append(
            {
                "canBeUsed": status == "active" and row["used_at"] is None,
                "purchaseAt": moment(row["redeemed_at"]),
                "costInPoints": number_out(row["cost"]),
                "campaignId": row["reward_id"],
                "used": row["used_at"] is not None,
                "coupon": {"id": row["id"], "code": row["coupon"]},
                "status": status,
                "activeTo": moment(row["active_until"]),
                "deliveryStatus": row["delivery"] or None,
                "usageDate": moment(row["used_at"]),
            }
        )
    return found


def status_object(status, locale):
    """Where a customer stands, from a `loyalty.status.Status`. What does not apply to the programme
    or to the customer is left out."""
    level, ahead, currency = status.level, status.next_level, status.currency
    has_account = status.account_id is not None

    def counted(value):
        return value if has_account else None

    return {
        "firstName": status.first_name,
        "lastName": status.last_name,
        "customerId": status.customer_id,
        "points": number_out(status.points),
        "p2pPoints": number_out(status.received_points),
        "totalEarnedPoints": number_out(status.earned_points),
        "usedPoints": number_out(status.used_points),
        "expiredPoints": number_out(status.expired_points),
        "lockedPoints": number_out(status.locked_points),
        "level": level and percent(level.reward_percent),
        "levelName": level and level.told(locale)[0],
        "levelConditionValue": number_out(status.level_threshold),
        "nextLevel": ahead and percent(ahead.reward_percent),
        "nextLevelName": ahead and ahead.told(locale)[0],
        "nextLevelConditionValue": number_out(status.next_threshold),
        "transactionsAmountWithoutDeliveryCosts": counted(
            money_out(status.amount_without_delivery, currency)
        ),
        "transactionsAmountToNextLevel": number_out(status.amount_to_next),
        "transactionsAmountToNextLevelWithoutDeliveryCosts": number_out(
            status.amount_to_next_without_delivery
        ),
        "averageTransactionsAmount": counted(average_text(status)),
        "transactionsCount": counted(status.transactions_count),
        "transactionsAmount": counted(money_out(status.transactions_amount, currency)),
        "pointsToNextLevel": number_out(status.points_to_next),
        "currency": currency.lower(),
        "levelWillExpireInDays": status.level_expires_in_days,
        "pointsSinceLastLevelRecalculation": number_out(status.points_since_recalculation),
        "pointsRequiredToRetainLevel": number_out(status.points_to_retain),
        "pointsExpiringNextMonth": number_out(status.expiring_next_month),
        "pointsExpiringBreakdown": {
            day.isoformat(): number_out(points) for day, points in status.expiring
        }
        or [],
    }


def average_text(status):
    """The average purchase with two decimals, as text."""
    average = status.average_amount.scaleb(-minor_unit_places(status.currency))
    return f"{average:.2f}"


def level_details(level, locale, n_customers, currency):
    """A level as the list of levels tells it; a reward of 15 % is 0.15 here."""
    name, description = level.told(locale)
    return {
        "id": level.pk,
        "levelId": level.pk,
        "name": name,
        "description": description or None,
        "translations": _words(level),
        "active": level.active,
        "conditionValue": number_out(level.threshold),
        "reward": {
            "name": level.reward_name or None,
            "value": number_out(level.reward_percent, 4),
            "code": level.reward_code or None,
        },
        "specialRewards": [
            {
                "name": row["name"],
                "value": number_out(row["percent"], 4),
                "code": row["code"] or None,
                "active": row["active"],
                "startAt": row["start_at"],
                "endAt": row["end_at"],
            }
            for row in level.special_rewards
        ],
        "minOrder": money_out(level.min_order, currency),
        "customersCount": n_customers,
        "hasPhoto": False,
    }


def _words(level):
    told = {
        ENTERED: {"name": level.name, "description": level.description or None},
        **level.translations,
    }
    return {language: dict(words) for language, words in told.items()}
