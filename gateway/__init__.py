"""Composition: command line, configuration, wiring, signals. The only package that knows all others."""
