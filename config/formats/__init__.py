"""How days and times are written, where Django's own form is not good enough."""
