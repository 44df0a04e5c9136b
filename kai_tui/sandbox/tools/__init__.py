"""The tools of the sandbox: names, arguments, marks and outputs as in protocols/keboola-tools.md."""

from kai_tui.sandbox.tools import ask, docs, storage, work
from kai_tui.sandbox.tools.base import Tool

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (*storage.TOOLS, *work.TOOLS, *docs.TOOLS, *ask.TOOLS)}
"""Every tool by its name."""
