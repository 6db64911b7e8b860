"""Writes the whole site as files for any web host."""
