"""The service: recommendations over HTTP, with the parameters of each user made in the request."""
