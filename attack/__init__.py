"""Attacks a running server and prints what held: `make attack`."""
