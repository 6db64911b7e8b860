"""Measured figures, beside what people would use instead. Never asserted: machines differ, ratios tell."""
