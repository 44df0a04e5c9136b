"""Tables of the conversation as data: read, typed, sorted, filtered, written out. Pure."""
