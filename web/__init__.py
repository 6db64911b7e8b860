"""The pages of the change log: by day, state, change, agreement and agency."""
