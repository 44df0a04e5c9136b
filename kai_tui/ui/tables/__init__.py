"""The table viewer: a table of the conversation on the whole screen."""
