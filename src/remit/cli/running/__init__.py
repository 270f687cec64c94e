"""What `remit run` is made of: the node that it asks, what the command sees, and who stays behind when it dies."""
