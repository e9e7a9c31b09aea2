"""Adapters of the message log behind `core.log.Log`."""
