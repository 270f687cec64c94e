"""AWS: what the users and roles of an account can do, and become, from their policies and the catalogue of actions."""
