"""One module per kind of target that Remit can lend a secret for, or mint one at."""
