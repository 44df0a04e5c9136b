from __future__ import annotations

import pytest
from textual import events

from kai_tui.ui.widgets.composer import MOST_ROWS, Composer
from tests.ui.widgets.widget_apps import WidgetApp, running, until


def sent(app: WidgetApp) -> list[str]:
    return [message.text for message in app.said(Composer.Submitted)]


@pytest.mark.some(8)
@pytest.mark.parametrize(
    ("keys", "expected", "left"),
    [
        ("abc⏎def", ["abc"], "def"),
        ("abc⌫d⏎", ["abd"], ""),
        ("abcd⌫⌫efgh", [], "abefgh"),
        ("one two␗x⏎", ["one x"], ""),
        ("abc␕d⏎", ["d"], ""),
        ("ac←b→d⏎", ["abcd"], ""),
        ("bc⇱a⇲d⏎", ["abcd"], ""),
        ("ab↵cd⏎", ["ab\ncd"], ""),
        ("abx←⌦c⏎", ["abc"], ""),
        ("a\\⏎b⏎", ["a\nb"], ""),
        ("  ⏎", [], "  "),
        ("⏎⏎a⏎⏎", ["a"], ""),
        ("a b⏎", ["a b"], ""),
    ],
)
async def test_keys_act_in_the_order_they_were_typed(keys: str, expected: list[str], left: str) -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        await app.press(keys)
        assert sent(app) == expected
        assert composer.text == left


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "alt+enter", "ctrl+enter", "shift+\r"])
async def test_keys_that_make_a_new_line(key: str) -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        await app.press(["a", key, "b"])
        assert composer.text == "a\nb"
        assert sent(app) == []


async def test_space_without_its_text_and_chords_that_carry_a_letter() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        app.type("ab")
        app.post_message(events.Key("space", None))
        app.type("cd")
        app.post_message(events.Key("alt+b", "b"))  # how Textual reports ESC b
        app.post_message(events.Key("alt+q", "q"))
        await app.press("x")
        assert composer.text == "ab xcd"


async def test_a_paste_never_sends() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        app.type("a")
        app.post_message(events.Paste("one\r\ntwo\rthree\n\x1b[31mred\x1b[0m\x1b]0;t\x07\x1b\x00\x9b!\n"))
        app.type("z")
        await app.settle()
        assert composer.text == "aone\ntwo\nthree\nred!\nz"
        assert sent(app) == []
        assert [message.text for message in app.said(Composer.Pasted)] == ["one\ntwo\nthree\nred!\n"]


async def test_big_pastes_become_chips() -> None:
    composer = Composer()
    many, long = "row of data\n" * 20_000, "x" * 2_500
    async with running(composer) as (app, _):
        app.type("a")
        for text in (many, many, long):
            app.post_message(events.Paste(text))
        await app.press("z")
        assert composer.text == (
            "a[pasted 234.4 KB, 20,000 lines][pasted 234.4 KB, 20,000 lines #2][pasted 2.4 KB, 1 line]z"
        )
        assert composer.text_to_send == f"a{many}{many}{long}z"
        assert "chip" in str(composer.get_line(0).spans) or composer.get_line(0).spans
        await app.press("⏎")
        assert sent(app) == [f"a{many}{many}{long}z"]
        await app.press("↑")
        assert composer.text_to_send == f"a{many}{many}{long}z"


async def test_small_pastes_that_would_make_one_long_line_become_chips() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        for _ in range(3):
            app.post_message(events.Paste("y" * 900))
        await app.settle()
        assert composer.text == "y" * 1800 + "[pasted 900 B, 1 line]"
        assert composer.text_to_send == "y" * 2700


async def test_a_chip_is_one_thing_for_cursor_and_deletion() -> None:
    composer = Composer()
    text = "x\n" * 10_000
    async with running(composer) as (app, _):
        app.type("ab")
        app.post_message(events.Paste(text))
        await app.press("cd←←⌫")  # right behind the chip
        assert composer.text == "abcd"
        await app.press(["ctrl+z"])
        assert composer.text_to_send == f"ab{text}cd"
        await app.press("⇱→→→!")  # over the chip with one step
        assert composer.text_to_send == f"ab{text}!cd"
        await app.press("←←?⌦")  # in front of it, and away with it
        assert composer.text_to_send == "ab?!cd"
        await app.press(["ctrl+z", "ctrl+w", "!"])
        assert text in composer.text_to_send or "[pasted" not in composer.text


async def test_a_chip_is_whole_when_a_range_is_deleted() -> None:
    text = "x\n" * 10_000
    for keys in (["home", "ctrl+k"], ["end", "ctrl+u"], ["end", "ctrl+w", "ctrl+w"], ["ctrl+x"]):
        composer = Composer()
        async with running(composer, size=(30, 24)) as (app, _):  # narrow: the label wraps
            app.post_message(events.Paste(text))
            await app.settle()
            for key in keys:
                await app.press([key])
                label = composer.text
                assert "[pasted" not in label or composer.text_to_send == text


async def test_recall_keeps_the_draft_and_changes() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        composer.set_history(["first", "two\nlines"])
        await app.press("draft↑")
        assert composer.text == "two\nlines"
        await app.press("↑")
        assert composer.text == "first"
        await app.press("↑!")
        assert composer.text == "!first" or composer.text == "first!"
        await app.press("↓")
        assert composer.text == "two\nlines"
        await app.press("↓")
        assert composer.text == "draft"
        await app.press("↓")
        assert composer.text == "draft"
        await app.press("↑↑")
        assert "!" in composer.text
        await app.press("⏎↑")
        assert sent(app)[0] == composer.text


async def test_recall_only_from_the_first_and_last_visual_row() -> None:
    composer = Composer()
    async with running(composer, size=(20, 24)) as (app, _):
        composer.set_history(["old"])
        composer.load("many words that take more than one row")
        rows = composer.wrapped_document.height
        assert rows > 2
        await app.press("↑" * (rows - 1))
        assert composer.text.startswith("many")
        await app.press("↑")
        assert composer.text == "old"
        await app.press("↓")
        assert composer.text.startswith("many")


async def test_sent_prompts_are_remembered_once() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        await app.press("a⏎b⏎b⏎")
        composer.remember("b")
        await app.press("↑")
        assert composer.text == "b"
        await app.press("↑")
        assert composer.text == "a"
        await app.press("↑")
        assert composer.text == "a"


async def test_it_grows_with_its_text() -> None:
    composer = Composer()
    async with running(composer, size=(80, 50)) as (app, pilot):
        assert composer.size.height == 1
        await app.press("a↵b↵c")
        await pilot.pause(0)
        assert composer.size.height == 3
        assert composer.scroll_offset.y == 0
        composer.load("\n".join("x" * 30))
        await pilot.pause(0)
        assert composer.size.height == MOST_ROWS
    small = Composer()
    async with running(small, size=(80, 20)) as (_, pilot):
        small.load("\n".join("x" * 30))
        await pilot.pause(0)
        assert small.outer_size.height == 8


async def test_undo_and_clear() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        await app.press("abc")
        composer.clear()
        assert composer.text == ""
        await app.press(["ctrl+z"])
        assert composer.text == "abc"
        await app.press(["ctrl+y"])
        assert composer.text == ""


async def test_load_puts_the_cursor_at_the_end_and_big_texts_into_a_chip() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        composer.load("one\ntwo")
        await app.press("!")
        assert composer.text == "one\ntwo!"
        big = "word " * 400_000
        composer.load(big)
        assert composer.text == "[pasted 1.9 MB, 1 line]"
        assert composer.text_to_send == big


async def test_unavailable_takes_no_keys_and_says_why() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        composer.load("kept")
        composer.set_unavailable("sign in to ask")
        app.post_message(events.Paste("no"))
        await app.press("abc⌫⏎")
        assert (composer.text, sent(app)) == ("kept", [])
        composer.set_unavailable(None)
        await app.press("!⏎")
        assert sent(app) == ["kept!"]


async def test_page_keys_are_left_to_the_screen() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        app.bind("pageup", "note('up')")
        app.bind("pagedown", "note('down')")
        await app.press(["a", "pageup", "pagedown"])
        assert app.noted == ["up", "down"]


async def test_changed_comes_from_the_text_area() -> None:
    composer = Composer()
    changes: list[str] = []

    class Listening(WidgetApp):
        def on_text_area_changed(self, event: Composer.Changed) -> None:
            changes.append(event.text_area.text)

    app = Listening(composer)
    async with app.run_test():
        app.screen.set_focus(composer)
        await app.press("ab")
        await until(lambda: changes[-1:] == ["ab"])


async def test_a_paste_is_expanded_and_folded_again_by_undo() -> None:
    composer = Composer()
    text = "row of data\n" * 1_000
    async with running(composer) as (app, _):
        app.type("see ")
        app.post_message(events.Paste(text))
        await app.press("z")
        label = composer.text
        assert composer.expand_chip() is True
        assert composer.text == f"see {text}z"
        assert composer.text_to_send == f"see {text}z"
        await app.press(["ctrl+z"])
        assert composer.text == label
        assert composer.text_to_send == f"see {text}z"
        await app.press(["ctrl+y"])
        assert composer.text == f"see {text}z"
        assert composer.expand_chip() is None


async def test_the_paste_under_the_cursor_is_the_one_that_is_expanded() -> None:
    composer = Composer()
    one, two = "one\n" * 3_000, "two\n" * 3_000
    async with running(composer) as (app, _):
        app.post_message(events.Paste(one))
        app.type(" and ")
        app.post_message(events.Paste(two))
        await app.press("⇱→")  # behind the first
        assert composer.expand_chip() is True
        assert composer.text.startswith("one\none")
        assert "[pasted" in composer.text.rsplit("\n", 1)[1]


@pytest.mark.parametrize("text", ["x" * 200_000, "y" * 9_000, "row\n" * 30_000])
async def test_a_paste_too_big_to_be_edited_here_stays_a_label(text: str) -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        app.post_message(events.Paste(text))
        await app.settle()
        label = composer.text
        assert composer.expand_chip() is False
        assert composer.text == label
        assert composer.text_to_send == text


async def test_recall_and_completion_are_steps_of_undo_over_chips() -> None:
    composer = Composer()
    big, other = "x\n" * 10_000, "y\n" * 10_000
    async with running(composer) as (app, _):
        composer.set_history([other])
        app.post_message(events.Paste(big))
        await app.press("!↑")
        assert composer.text_to_send == other
        await app.press(["ctrl+z"])
        assert composer.text_to_send == f"{big}!"
        await app.press(["ctrl+y"])
        assert composer.text_to_send == other
        composer.complete((0, 0), (0, 0), "in.c-crm ")
        await app.press(["ctrl+z"])
        assert composer.text_to_send == other


async def test_ctrl_x_cuts_a_selection_and_begins_ctrl_x_ctrl_e_without_one() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        app.type("abc")
        await app.press(["shift+left", "ctrl+x"])
        assert composer.text == "ab"
        await app.press(["ctrl+x"])
        assert composer.text == "ab"
        await app.press("d")
        assert composer.text == "abd"
        assert not composer.border_subtitle
        assert app.said(Composer.EditorWanted) == []
        await app.press(["home", "ctrl+x", "ctrl+e"])
        assert len(app.said(Composer.EditorWanted)) == 1
        await app.press(["ctrl+e", "e"])
        assert composer.text == "abde"


async def test_a_context_stands_before_the_question_and_only_a_long_one_is_a_chip() -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        await app.press("why?")
        composer.put_context("2 rows of the table:", "| a |\n| --- |\n| 1 |")
        assert composer.text == "2 rows of the table:\n| a |\n| --- |\n| 1 |\nwhy?"
        assert composer.cursor_location == (4, 4)
        composer.clear()
        rows = "\n".join(f"| {n} |" for n in range(40))
        composer.put_context("40 rows of\x1b]0;x\x07 the table:", rows)
        heading, chip, rest = composer.text.split("\n")
        assert (heading, rest) == ("40 rows of the table:", "")
        assert chip.startswith("[pasted ")
        await app.press("sum?")
        assert composer.text_to_send == f"40 rows of the table:\n{rows}\nsum?"
        assert sent(app) == []
