"""One WebSocket connection on the wire: handshake, frames, writes, the connection's life, plain HTTP answers."""
