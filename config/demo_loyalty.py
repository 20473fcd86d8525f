"""The loyalty half of the demonstration: a programme, purchases, returns, points, rewards."""

from datetime import timedelta
from itertools import pairwise

from loyalty.models import EarningRule, Level, Reward
from loyalty.services import adjust_points
from loyalty.services.levels import create_level
from loyalty.services.redeeming import redeem_reward, use_coupon
from loyalty.services.rewards import create_reward
from loyalty.services.rules import create_earning_rule
from loyalty.services.transactions import record_transaction
from loyalty.status import status_of
from tenancy import clock

SETTINGS = {
    "points_expire": "end_of_year",
    "newsletter_points": 25,
    "seller_points_ceiling": 300,
    "level_messages": False,  # nobody is written to about invented purchases
}
# Name, threshold in the tenant's currency, reward in percent.
LEVELS = (
    ("Leser", "Reader", 0, 0),
    ("Bokorm", "Bookworm", 1_000, 3),
    ("Bibliofil", "Bibliophile", 4_000, 5),
    ("Antikvar", "Antiquarian", 12_000, 8),
)
RULES = (
    {"name": "A point for every ten kroner", "kind": "purchase", "rate": "0.1"},
    {"name": "Welcome", "kind": "registration", "points": "10"},
)
# Name, price in points, stock, days that the coupon works.
REWARDS = (
    ("Cotton bag", "40", 500, 60),
    ("Coffee and cinnamon bun", "60", None, 30),
    ("Paperback of the month", "180", 80, 90),
    ("Evening with an author", "400", 25, None),
)
BOOKS = (
    ("978820", "Novel, hardback", 429_00),
    ("978821", "Novel, paperback", 199_00),
    ("978822", "Picture book", 249_00),
    ("978823", "Cookery book", 379_00),
    ("978824", "Poems", 289_00),
)


def load_programme():
    """Levels, rules and rewards, where the tenant has none yet."""
    if not Level.objects.exists():
        for position, (name, english, threshold, percent) in enumerate(LEVELS):
            create_level(
                name=english,
                translations={"nb": {"name": name}},
                threshold=threshold,
                reward_percent=percent,
                position=position,
            )
    if not EarningRule.objects.exists():
        for rule in RULES:
            create_earning_rule(**rule)
    if not Reward.objects.exists():
        for position, (name, cost, stock, days) in enumerate(REWARDS):
            create_reward(name=name, cost=cost, stock=stock, valid_days=days, position=position)


def shop(customer, pick, until, stores, index):
    """Let some customers buy, return, and spend what they earned, up to the instant `until`."""
    if pick.random() < 0.55:
        return
    store = customer.home_store or stores["oslo"]
    begin = customer.created_at
    days = max(1, (until - begin).days)
    instants = sorted(
        begin + timedelta(days=days * pick.random()) for _n in range(pick.choice(HABIT))
    )
    for number, (instant, following) in enumerate(pairwise([*instants, until])):
        with clock.frozen(instant):
            receipt = f"{store.code.upper()}-{index:04d}-{number:02d}"
            lines = _basket(pick)
            amount = sum(line["amount"] for line in lines)
            record_transaction(
                customer,
                number=receipt,
                purchased_at=instant,
                amount=amount,
                store=store,
                lines=lines,
            )
        if pick.random() < 0.08:
            # Before the next purchase, so that the timeline tells what happened in its order.
            with clock.frozen(min(instant + timedelta(hours=30), following)):
                record_transaction(
                    customer,
                    number=f"{receipt}-R",
                    kind="return",
                    revises=receipt,
                    purchased_at=clock.now(),
                    amount=lines[0]["amount"],
                    store=store,
                    lines=lines[:1],
                )
    with clock.frozen(until):
        _spend(customer, pick)


HABIT = (1, 1, 2, 2, 3, 4, 6, 9)


def _basket(pick):
    chosen = pick.sample(BOOKS, pick.choice([1, 1, 2, 3]))
    return [
        {"sku": sku, "name": name, "quantity": 1_000, "amount": price}
        for sku, name, price in chosen
    ]


def _spend(customer, pick):
    reward = pick.choice(list(Reward.objects.order_by("cost")[:3]))
    if status_of(customer).points >= reward.cost and customer.status == "active":
        redemption = redeem_reward(customer, reward)
        if pick.random() < 0.5:
            use_coupon(redemption)
    if pick.random() < 0.05:
        adjust_points(customer, points=20_00, reason="For the book that arrived damaged")
