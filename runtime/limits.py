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


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What connections and their hooks may cost the server. Seconds, bytes or counts; a rate of 0 is no limit."""

    connections: int = 20_000
    """Open connections of this node (over it: 503 with `Retry-After`)."""
    connections_per_address: int = 1_000
    """Open connections from one IP address (over it: 503); connections from this machine are not limited."""
    connection_rate: float = 500.0
    """Handshakes accepted a second (over it: 503)."""
    connection_burst: int = 2_000
    """Handshakes accepted at once, after a quiet time."""
    retry_seconds: float = 10.0
    """`Retry-After` of a refusal, and the reconnect delay of a drain: a random time up to this, at least 1 s."""
    hook_seconds: float = 10.0
    """One run of a hook that waits, its Sleeps not counted (over it: the hook ends with a fault)."""
    sleep_seconds: float = 60.0
    """All Sleeps of one run of a hook together (over it: the hook ends with a fault)."""
    channels: int = 128
    """Channels one connection can be in (over it: a fault in the hook)."""
    drain_seconds: float = 30.0
    """From the signal to the end of the program, with hooks that hang too."""
    hurried_drain_seconds: float = 2.0
    """The same after a second signal."""
    drain_spread_seconds: float = 10.0
    """Time over which a drain's close frames are spread."""
