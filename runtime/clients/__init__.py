"""Reference clients of `worpen.v1` (docs/protocol.md), each one file to copy: `worpen.js` and `worpen_client.py`."""
