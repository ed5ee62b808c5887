"""What an environment costs in a month, from the resources that a preview shows."""
