"""What must not be overlooked in any value: secrets in plain text, SQL that takes something away."""

from __future__ import annotations

from typing import Any

from kai_tui.conversation.reviews.code_texts import sql_texts
from kai_tui.conversation.reviews.draft import Draft
from kai_tui.conversation.reviews.secret_values import plain_secrets
from kai_tui.conversation.reviews.sql_dangers import sql_dangers


def warn_of_values(draft: Draft, value: Any) -> None:
    """Secrets in plain text and SQL that takes something away, anywhere below a value."""
    names = list(dict.fromkeys(plain_secrets(value)))
    if names:
        draft.warn(
            f"Holds a secret in plain text: {', '.join(names)}. It is hidden in this view, not in what is sent."
        )
    for sql in sql_texts(value):
        draft.warn(*sql_dangers(sql))
