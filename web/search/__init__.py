"""The search index, and the directory of agencies that it is made from."""
