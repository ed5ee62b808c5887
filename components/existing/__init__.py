"""Networks and clusters that exist already and are used as they are."""
