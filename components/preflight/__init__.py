"""What AWS can tell before anything is created."""
