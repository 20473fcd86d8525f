"""Telling other systems of events, signed, in the order of the change feed, until they have it.

`managing` makes and changes endpoints, `queueing` turns events into deliveries, `sending` makes
them, `replaying` makes them again; `jobs` is what the worker calls. docs/webhooks.md tells
receivers what they can rely on.
"""
