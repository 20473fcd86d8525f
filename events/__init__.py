"""What happened, who did it, and what must not happen twice."""
