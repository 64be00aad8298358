"""The primary model on a device, and the packets in which a user's weights travel to it."""
