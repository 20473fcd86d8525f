"""The lines of loyalty's tables in the registry of personal data.

The ledger stays when a person is erased: its totals must hold. What stands in it are numbers and
ids; the words of people stand in notes, which are emptied.
"""

from customers.privacy import EMPTIED, KEPT, lines, registry, shown

WHY_KEPT = (
    "points, purchases and their sums must go on adding up; without name, card and contact points "
    "they are pseudonymised"
)
TEXT_OR_NULL = {"type": ["string", "null"]}
STAYS = {"deleted_too": False}


def register():
    """Add our tables; called once when the app is ready."""
    _set_up()
    _account()
    _ledger()
    _transactions()
    _redemptions()


def _set_up():
    for label, columns, purpose in (
        (
            "loyalty.Level",
            "id tenant name description translations threshold reward_percent reward_name "
            "reward_code special_rewards min_order active position created_at updated_at",
            "the levels of the programme",
        ),
        (
            "loyalty.EarningRule",
            "id tenant name kind rate points min_amount exclude_delivery active active_from "
            "active_to created_at updated_at",
            "what earns points",
        ),
        ("loyalty.LevelMultiplier", "id tenant rule level factor", "what earns points, by level"),
        (
            "loyalty.Reward",
            "id tenant name description translations cost stock n_redeemed per_customer "
            "valid_days delivered active active_from active_to position created_at updated_at",
            "the catalogue of rewards",
        ),
        ("loyalty.RewardLevel", "id tenant reward level", "who may redeem a reward"),
    ):
        registry.add_table(
            label, lines(columns, KEPT, exported=False), purpose=purpose, limit="with the tenant"
        )


def _account():
    registry.add_table(
        "loyalty.LoyaltyAccount",
        lines("id", KEPT, personal="customer", why=WHY_KEPT),
        lines("tenant customer n_entries n_applied next_due_at", KEPT, exported=False),
        lines("frozen_at", KEPT, exported=False),
        lines("points locked_points", KEPT, personal="customer", why=WHY_KEPT),
        _level("level"),
        _level("manual_level"),
        lines("level_since recalculated_at", KEPT, personal="customer", why=WHY_KEPT),
        lines("transactions_count transactions_amount", KEPT, personal="customer", why=WHY_KEPT),
        lines("amount_without_delivery excluded_amount", KEPT, personal="customer", why=WHY_KEPT),
        lines("first_purchase_at last_purchase_at", KEPT, personal="customer", why=WHY_KEPT),
        lines("merged_into", KEPT, exported=False),
        lines("created_at", KEPT, personal="customer", why=WHY_KEPT),
        owner="customer",
        section="loyalty_account",
        single=True,
        purpose="where the customer stands in the loyalty programme",
        limit="with the tenant, pseudonymised after anonymising and without a name after deletion",
        **STAYS,
    )


def _level(column):
    return shown(
        column,
        KEPT,
        column,
        lambda row: getattr(row, column) and getattr(row, column).name,
        TEXT_OR_NULL,
        why=WHY_KEPT,
    )


def _ledger():
    registry.add_table(
        "loyalty.Entry",
        lines("id seq kind points locked_points", KEPT, personal="customer", why=WHY_KEPT),
        lines("points_after locked_after at", KEPT, personal="customer", why=WHY_KEPT),
        lines("tenant account created_at reverses", KEPT, exported=False),
        lines("source_kind", KEPT, personal="customer", why=WHY_KEPT),
        lines("source_id", KEPT, exported=False),
        lines("store_id actor_kind", KEPT, exported=False),
        lines(
            "actor_id",
            KEPT,
            personal="staff",
            exported=False,
            why="who moved points is evidence of the ledger",
        ),
        owner="account__customer",
        section="points",
        order=("seq",),
        purpose="every movement of points",
        limit="with the tenant; entries cannot be changed",
        **STAYS,
    )
    registry.add_table(
        "loyalty.EntryNote",
        lines("id tenant entry", KEPT, exported=False),
        lines("text", EMPTIED, personal="customer"),
        lines("actor_label", EMPTIED, personal="staff", exported=False),
        owner="entry__account__customer",
        section="points_notes",
        order=("entry__seq",),
        purpose="why points were moved, in a person's words",
        limit="until the customer is anonymised or deleted",
        **STAYS,
    )
    registry.add_table(
        "loyalty.Lot",
        lines("id", KEPT, exported=False),
        lines("tenant account home_account entry locked", KEPT, exported=False),
        lines("value remaining expired cancelled", KEPT, personal="customer", why=WHY_KEPT),
        lines("cancelled_at earned_at locked_until", KEPT, personal="customer", why=WHY_KEPT),
        lines("expires_at received", KEPT, personal="customer", why=WHY_KEPT),
        owner="account__customer",
        section="points_lots",
        order=("earned_at", "pk"),
        purpose="points that expire together, and what is left of them",
        limit="with the tenant",
        **STAYS,
    )
    registry.add_table(
        "loyalty.LotUse",
        lines("id tenant entry lot points", KEPT, exported=False),
        purpose="which points an entry took, so that they can be given back",
        limit="with the tenant",
    )


def _transactions():
    registry.add_table(
        "loyalty.Transaction",
        lines("id kind purchased_at amount", KEPT, personal="customer", why=WHY_KEPT),
        lines("delivery_amount excluded_amount", KEPT, personal="customer", why=WHY_KEPT),
        lines("number revises", KEPT, personal="customer", why=WHY_KEPT),
        lines("tenant account home_account applied_seq", KEPT, exported=False),
        lines("content_hash created_at", KEPT, exported=False),
        shown(
            "store",
            KEPT,
            "store",
            lambda row: row.store and row.store.code,
            TEXT_OR_NULL,
            why=WHY_KEPT,
        ),
        owner="account__customer",
        section="transactions",
        order=("purchased_at", "pk"),
        purpose="what the customer bought and returned",
        limit="with the tenant",
        **STAYS,
    )
    registry.add_table(
        "loyalty.TransactionLine",
        lines("id tenant transaction position", KEPT, exported=False),
        lines("sku name quantity amount category maker", KEPT, personal="customer", why=WHY_KEPT),
        owner="transaction__account__customer",
        section="transaction_lines",
        order=("transaction__purchased_at", "transaction", "position"),
        purpose="the articles of purchases and returns",
        limit="with the tenant",
        **STAYS,
    )


def _redemptions():
    registry.add_table(
        "loyalty.Redemption",
        lines("id name cost redeemed_at", KEPT, personal="customer", why=WHY_KEPT),
        lines("active_until used_at cancelled_at", KEPT, personal="customer", why=WHY_KEPT),
        lines("delivery", KEPT, personal="customer", why=WHY_KEPT),
        lines("tenant account home_account reward entry", KEPT, exported=False),
        shown(
            "used_store",
            KEPT,
            "used_store",
            lambda row: row.used_store and row.used_store.code,
            TEXT_OR_NULL,
            why=WHY_KEPT,
        ),
        lines("coupon", KEPT, personal="customer", why=WHY_KEPT),
        owner="account__customer",
        section="redemptions",
        order=("redeemed_at", "pk"),
        purpose="rewards that were bought with points",
        limit="with the tenant",
        **STAYS,
    )
