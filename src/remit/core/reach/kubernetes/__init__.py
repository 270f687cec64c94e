"""Kubernetes: what service accounts, users and groups can do, and become, by roles and their bindings."""
