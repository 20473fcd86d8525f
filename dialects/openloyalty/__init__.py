"""Open Loyalty's customer API (`/api/<storeCode>/…`), as documented for its 3.x successors.

The store code is a tenant's code. Which endpoints and fields are spoken stands in docs/dialects.md,
where we differ and why in docs/dialects/openloyalty.md.
"""
