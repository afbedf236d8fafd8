"""THE limits of the server (runtime section 2). The language's own limits are in `compiler.language.limits`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WireLimits:
    """What one connection may cost on the wire. Seconds, bytes or counts; a rate of 0 is no limit."""

    open_handshakes: int = 512
    """Handshakes under way at once; further connections are dropped."""
    handshake_seconds: float = 5.0
    """Time from the TCP connection to the answer, waiting for authentication included; then it is dropped."""
    request_line_bytes: int = 8 * 1024
    """Request line, and each header line (over it: 431)."""
    header_count: int = 128
    """Header lines of a request (over it: 431)."""
    head_bytes: int = 32 * 1024
    """Request line and headers together (over it: 431)."""
    message_bytes: int = 64 * 1024
    """One message, all its fragments together (over it: close 1009)."""
    fragments: int = 256
    """Frames of one message (over it: close 1008)."""
    assembly_seconds: float = 10.0
    """Time from the first to the last byte of a message; time in which the server paused reading is not counted."""
    message_rate: float = 1_000.0
    """Messages a second from one connection (over it: close 1008)."""
    message_burst: int = 2_000
    """Messages at once, after a quiet time."""
    byte_rate: float = 1024.0 * 1024
    """Bytes a second from one connection, frame headers included (over it: close 1008)."""
    byte_burst: int = 4 * 1024 * 1024
    """Bytes at once, after a quiet time."""
    control_rate: float = 10.0
    """Pings and pongs a second from one connection (over it: close 1008)."""
    control_burst: int = 20
    """Pings and pongs at once, after a quiet time."""
    inbox_messages: int = 64
    """Messages waiting for a running hook; with more, reading pauses."""
    inbox_bytes: int = 256 * 1024
    """Size of the messages waiting for a running hook; with more, reading pauses."""
    slice_bytes: int = 16 * 1024
    """Input parsed in one turn of the loop."""
    unsent_bytes: int = 1024 * 1024
    """Bytes that a connection has not taken yet (over it: aborted, counted as slow consumer)."""
    stall_seconds: float = 10.0
    """Time without progress in writing while bytes wait (over it: aborted, counted as slow consumer)."""
    ping_seconds: float = 20.0
    """Time without input after which a ping is sent; 0 sends none."""
    pong_seconds: float = 10.0
    """Time after that ping in which anything must arrive (else aborted: 1006)."""
    close_seconds: float = 5.0
    """Time for the other side to answer a close frame and for the last bytes to leave."""
    fan_out_members: int = 500
    """Connections written in one turn of the loop by broadcasts."""
    fan_out_seconds: float = 0.005
    """Time spent in one turn of the loop by writing broadcasts."""
