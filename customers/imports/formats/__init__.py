"""The file formats that are recognised by their header, each in a module of its own.

They are listed here by hand: which one wins where two could fit is then a matter of reading.
"""

from collections.abc import Iterable

from . import magento, openloyalty, prestashop, regulars, shopify, square, woocommerce, zeald
from .base import Format

__all__ = ["ALL", "Format", "by_name", "detect"]

# The most particular header first; our own last, because short headers of anybody fit it.
ALL = (
    magento.COMPOSITE,
    magento.CUSTOMERS,
    magento.ADDRESSES,
    magento.GRID,
    prestashop.CUSTOMERS,
    prestashop.ADDRESSES,
    prestashop.LIST,
    shopify.CUSTOMERS,
    shopify.BEFORE_2023,
    woocommerce.CUSTOMERS,
    woocommerce.REPORT,
    square.CUSTOMERS,
    openloyalty.CUSTOMERS,
    zeald.CUSTOMERS,
    regulars.CUSTOMERS,
)


def detect(header: Iterable[str]) -> Format | None:
    """The format whose header this is, or None for a file of unknown origin."""
    header = list(header)
    return next((one for one in ALL if one.recognise(header)), None)


def by_name(name: str) -> Format | None:
    """The format of that name, as the command line says it."""
    return next((one for one in ALL if one.name == name), None)
