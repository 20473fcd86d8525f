"""Moved to the package `normalise`; this name goes as soon as nobody in flight uses it."""

from normalise import *  # noqa: F403
