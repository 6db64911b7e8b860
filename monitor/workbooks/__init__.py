"""Workbook bytes → rows, read in child processes with limits."""
