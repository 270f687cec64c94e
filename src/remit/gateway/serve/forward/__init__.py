"""The forward gate's sockets: a listener for programs that know of nothing but a proxy."""
