"""How the program installs a Helm chart."""
