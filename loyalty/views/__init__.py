"""The house API's endpoints for levels, points, transactions, rewards and redemptions."""

from loyalty.views import problems  # noqa: F401  (registers how refusals are worded)
