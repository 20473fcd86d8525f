"""Customer numbers for the new customers of a file."""

from typing import Any

from tenancy.services import take_customer_numbers

# Where the numbers of a dry run start: far from every real one, and no counter is moved.
DRY_NUMBERS = 10**15


class Numbers:
    """Customer numbers, taken in blocks; what one chunk leaves over the next one uses."""

    def __init__(self, tenant: Any, *, dry_run: bool):
        self.tenant = tenant
        self.dry_run = dry_run
        self._stock: list[int] = []
        self._dry = DRY_NUMBERS

    def reserve(self, wanted: int) -> None:
        """Have at least `wanted` in stock."""
        missing = wanted - len(self._stock)
        if missing > 0:
            self._stock += self._take(missing)

    def next(self) -> int:
        """The next number; it stays in stock until it is `spent`."""
        self.reserve(1)
        return self._stock[0]

    def spent(self, n: int = 1) -> None:
        del self._stock[:n]

    def some(self, n: int) -> list[int]:
        """The next `n` numbers; they too stay in stock until they are `spent`."""
        self.reserve(n)
        return self._stock[:n]

    def _take(self, n: int) -> range:
        if self.dry_run:
            first, self._dry = self._dry, self._dry + n
        else:
            first = take_customer_numbers(self.tenant, n)
        return range(first, first + n)
