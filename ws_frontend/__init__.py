"""The web door: the page, and a WebSocket that speaks JSON."""
