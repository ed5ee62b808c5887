"""What services have for themselves: secrets, and roles in AWS."""
