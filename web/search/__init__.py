"""The index behind the search page, and the directory of agencies that it is made from."""
