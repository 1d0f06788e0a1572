"""Reports about mail that was sent: how they come in, and what they say. What follows is in ``actions.bounces``."""
