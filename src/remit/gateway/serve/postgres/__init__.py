"""The PostgreSQL gate's sockets: a listener, the sessions of agents, and each session's own login at the database."""
