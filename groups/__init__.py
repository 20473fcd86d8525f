"""Customer groups and who is subscribed to them."""
