"""The assistant of the sandbox: rules, no model. It knows what its tools tell it and nothing else."""

from kai_tui.sandbox.assistant.about import meant_of
from kai_tui.sandbox.assistant.intents import understand
from kai_tui.sandbox.assistant.script import Call, Result, Script, Step
from kai_tui.sandbox.assistant.talk import Talk, text_of

__all__ = ["Call", "Result", "Script", "Step", "Talk", "begin", "meant_of", "say", "text_of", "title_of"]

TITLE_LENGTH = 60


def begin(talk: Talk) -> Script:
    """The script for one message."""
    return understand(talk.text, talk).script(talk)


def say(text: str) -> Script:
    """The script that says one thing."""
    yield Step(text)


def title_of(text: str) -> str:
    """A chat's title after its first message: its first words, cut between words."""
    line = " ".join(text.split())
    if len(line) <= TITLE_LENGTH:
        return line.rstrip("?!. ") or line
    return line[:TITLE_LENGTH].rsplit(" ", 1)[0] + "…"
