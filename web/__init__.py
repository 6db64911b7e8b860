"""What people look at: the change log by day, state, change and agreement."""
