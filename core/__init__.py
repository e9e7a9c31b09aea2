"""The chat itself: sessions, nicks, rooms, messages. Knows no socket, no JSON text, no database."""
