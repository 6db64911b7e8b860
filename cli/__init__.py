"""The command line `agreement-monitor`: the only package that imports all others, and the only one that prints."""
