"""How much alike two records are: what is compared, by which keys records meet, what it weighs.

Nothing here reads or writes a row; docs/duplicates.md explains the weights.
"""

from customers.likeness.blocking import KEYS, keys_of
from customers.likeness.persons import Home, Person, person_of
from customers.likeness.scoring import THRESHOLD, Likeness, compare, strength

__all__ = [
    "KEYS",
    "THRESHOLD",
    "Home",
    "Likeness",
    "Person",
    "compare",
    "keys_of",
    "person_of",
    "strength",
]
