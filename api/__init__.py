"""The plumbing that the house API's endpoints share.

A face-level library: it knows HTTP, tenancy and events, and nothing of customers or groups. A
refusal is worded once, in `problems`; a view is declared with `views.ViewSet`.
"""
