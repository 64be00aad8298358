"""Continue a trained run with new events, users and items, and publish it if it is no worse."""
