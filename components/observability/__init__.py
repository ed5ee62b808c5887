"""What CloudWatch sees of an environment, and when it warns."""
