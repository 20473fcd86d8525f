"""The endpoints of Open Loyalty's API: read the request, ask one service, answer."""
