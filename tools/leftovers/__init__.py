"""What an environment's tags are on in AWS, and no state of Pulumi knows. It only reads."""
