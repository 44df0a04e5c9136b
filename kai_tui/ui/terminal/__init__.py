"""What stands between the program and the real terminal: bytes in, bytes out, signals, crashes.

Textual 8.2.8 lets foreign control codes through and falls over on some input (textual-notes §6, §9);
all that is said about its private parts is kept in this package.
"""
