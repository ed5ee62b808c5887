"""The way in: load balancer, certificate and names."""
