"""Flow Retail's customer API, version 2 (`[/v2]/tenants/<tenantUid>/customers…`), as documented at
docs.flowretail.com.

Which endpoints and fields are spoken stands in docs/dialects.md, where we differ and why in
docs/dialects/flowretail.md.
"""
