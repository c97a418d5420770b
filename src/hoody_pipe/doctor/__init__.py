"""The doctor: what a proxy in front of a server does wrong, found by being a sender and a receiver behind it."""
