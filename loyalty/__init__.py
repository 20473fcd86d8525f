"""Programme, levels, points and rewards: joins customers through its hooks."""
