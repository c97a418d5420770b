"""What scripts/load and scripts/soak share: long and large trials of a server of their own."""
