"""Templates and static text for people; nothing here knows what serves it."""
