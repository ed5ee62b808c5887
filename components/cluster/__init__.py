"""The EKS cluster: its control plane, nodes, add-ons and who may enter."""
