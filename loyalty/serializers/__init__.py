"""The shapes of loyalty in the house API. Rules live in the services."""
