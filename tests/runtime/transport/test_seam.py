from __future__ import annotations

from runtime.transport.seam import HttpResponse, refusal


def test_a_refusal_is_one_line_of_text() -> None:
    assert refusal(404, "Not Found", (("X", "y"),)) == HttpResponse(404, b"Not Found\n", headers=(("X", "y"),))


def test_a_text_that_is_not_text_is_still_sent() -> None:
    assert refusal(403, "\ud800").body == b"\\ud800\n"
