"""What keeps teams apart in one cluster."""
