"""`make attacks`: what hostile clients do to a healthy one, to the server's memory, and to those beside them.

__main__    the conductor: servers, quiet windows and windows of attack in mirrored order, the table
ways        the attacks, each at its full size
crowd       the process that attacks, told by lines on its input
healthy     the client beside it, which takes the times
severed     clients behind a line that goes dead, in network namespaces of their own
"""
