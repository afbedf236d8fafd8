"""`make soak`: many clients come, talk, misbehave and go for a while; the server must not grow, lose or miscount.

__main__    the conductor: starts server and generators, calls for rest, compares, prints the table
routes      what is served, anew every few seconds
generator   one process of clients, told what to do by lines on its input
clients     clients that behave, each of which knows what it sent, got and expects
hostile     clients that do not
wire        a client's side of the wire, which counts
model       what the server must say, by what the clients know
drift       how memory grows, by a fit that single steps do not bend
"""
