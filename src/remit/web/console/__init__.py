"""The console: pages for the operator's browser, made on the server, without script."""
