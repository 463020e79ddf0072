"""Events folded into what a person reads, and the time axis that they lie on. No I/O, no browser.

Positions: `ordinal` is an event's place in its session, counted from 0; a `position` is a number of
events played, from 0 to all of them. The state at position p is the state after the first p events,
that is of the ordinals below p.
"""
