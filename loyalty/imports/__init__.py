"""Sales and returns from a file: columns, documents, numbers, writing in chunks."""

from loyalty.imports.engine import import_transactions

__all__ = ["import_transactions"]
