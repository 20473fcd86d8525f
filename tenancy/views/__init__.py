"""The endpoints of the set-up, of sessions, and of people without a credential."""
