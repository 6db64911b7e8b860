"""One run of telling: route the log, make digests, send what is due."""
