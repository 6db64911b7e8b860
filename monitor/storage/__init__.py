"""state.db: the tables of the log, and all SQL that reads and writes them."""
