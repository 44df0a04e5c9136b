"""The assistant of the sandbox: rules, no model. It knows what its tools tell it and nothing else."""

from kai_tui.sandbox.assistant.script import Call, Result, Script, Step
from kai_tui.sandbox.assistant.talk import Talk, text_of

__all__ = ["Call", "Result", "Script", "Step", "Talk", "begin", "text_of", "title_of"]


def begin(talk: Talk) -> Script:
    """The script for one message."""
    yield Step(text=f"I am a rule-based stand-in. You said: {talk.text}")


def title_of(text: str) -> str:
    """A chat's title after its first message."""
    return " ".join(text.split())[:60]
