"""Makes a state.db again, from its workbooks, checks and decisions, by the rules of this version."""
