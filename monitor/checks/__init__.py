"""One check of one list: gather facts, decide, record."""
