"""The tables about subscribers and deliveries in state.db, and all SQL that reads and writes them."""
