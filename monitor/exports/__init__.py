"""The log for programs: JSON and CSV records, and the public database."""
