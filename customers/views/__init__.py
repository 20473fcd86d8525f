"""The house API's endpoints for customers."""

from customers.views import problems  # noqa: F401  (registers how refusals are worded)
