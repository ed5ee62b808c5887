"""The EKS cluster: control plane, nodes, add-ons and access."""
