"""The wire formats of other vendors' customer APIs, spoken over our services.

A dialect translates and nothing else: words, errors, paging, credentials. One folder is one vendor;
`urls.py` mounts them, one line each. How to write another: docs/adding-a-dialect.md.
"""
