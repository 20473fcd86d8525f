"""The shapes of what happened and of what is still to happen in the house API."""
