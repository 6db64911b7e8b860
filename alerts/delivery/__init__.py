"""One run: route the log, make digests, send what is due."""
