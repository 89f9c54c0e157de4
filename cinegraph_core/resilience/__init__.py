"""Sans-IO state machines of the door: they are told the time, keep no clock, do no I/O and hold no lock across a call."""
