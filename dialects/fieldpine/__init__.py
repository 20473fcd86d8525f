"""Fieldpine's Customers API (`/OpenApi2/Customers`).

Which fields are spoken stands in docs/dialects.md, the search language and where we differ in
docs/dialects/fieldpine.md.
"""
