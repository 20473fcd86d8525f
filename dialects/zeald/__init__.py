"""Zeald's XML Data API V3 (`/API/V3/<resource specification>[/<key>]`).

Resources Customer, UserCustomerGroups, UserGroups and Order. The tenant is the key's. Which
endpoints and fields are spoken stands in docs/dialects.md; the grammar of the resource
specification, and where we differ and why, in docs/dialects/zeald.md.
"""
