"""OAuth 2.1: the token endpoint with one file per grant, and what the grants share."""
