"""Conecto's (Shift4's) POS customers, read only (`/pos/v2/{locationId}/customers`).

Which fields are spoken stands in docs/dialects.md, where we differ in docs/dialects/conecto.md.
"""
