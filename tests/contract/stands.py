"""All stands there are: a new system adds its own here (CONTRIBUTING.md, "A sixth assistant")."""

from __future__ import annotations

from tests.contract.aui_stands import AUI_STANDS, Messages, OpenAi, Plain, Transport, UiMessages
from tests.contract.imbrace_stands import Imbrace, ImbraceModel, ImbracePlain
from tests.contract.kai_stands import KaiAgent, KaiAssistant, Sandbox
from tests.contract.other_stands import Kiss, Knowrithm, KnowrithmPolling
from tests.contract.stand import Stand

STANDS: tuple[type[Stand], ...] = (
    KaiAgent,
    KaiAssistant,
    Sandbox,
    Imbrace,
    ImbracePlain,
    ImbraceModel,
    *AUI_STANDS,
    Knowrithm,
    KnowrithmPolling,
    Kiss,
)
ONLY_ANOTHER_ENCODING = {Transport, OpenAi, UiMessages, Plain, Messages}
"""The same client as others here, reading another kind of answer."""
