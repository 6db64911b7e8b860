"""The tables about subscribers and deliveries in state.db, and all SQL on them.

Each table is written by one module.
"""
