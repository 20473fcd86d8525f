"""Imports and exports of customer files: readers, mappings and the formats of well-known shops."""
