"""What is kept: the only SQL on Remit's own data. One file per noun over one durable connection."""
