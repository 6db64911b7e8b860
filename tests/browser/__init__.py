"""A package, unlike the other folders of tests, so that the browser ends with it: its event loop runs as long as it."""
