"""The live board of `worpen dev`: what the server does, drawn by a process of its own.

    server process                                  board process
    feed.py      App and events → Reply      ◀─ Ask ──  model.py   keys and replies → what to show (pure)
    launch.py    starts, answers, restores   ─ Reply ─▶ view.py    what to show → rich
                                             ◀ Order ─  keys.py    raw input → keys
                      exchange.py: the words of both    screen.py  asks, draws, restores the terminal

The board asks when it has room for another picture, so a slow terminal slows nobody down, and drawing never takes time
from the server's loop. Whichever of the two processes dies, the other one restores the terminal.
"""
