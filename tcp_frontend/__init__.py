"""The line door: TCP, one line per message, for netcat, telnet and scripts."""
