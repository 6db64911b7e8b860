"""The command line `agreement-monitor`: the only package that knows all others, and the only one that prints."""
