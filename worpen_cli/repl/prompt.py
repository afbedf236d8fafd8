"""The terminal's side of `worpen repl`: one prompt-toolkit session around a `Conversation`.

Enter ends an input that is complete and begins a new line in one that is not; Alt-Enter always begins one. An
input of several lines is one entry of the history. Ctrl-C drops what is typed, Ctrl-D leaves.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout.processors import HighlightMatchingBracketProcessor
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style, merge_styles
from prompt_toolkit.styles.pygments import pygments_token_to_classname, style_from_pygments_cls

from compiler.diagnostics.escape import escape
from compiler.language.hooks import INPUTS
from worpen_cli import __version__
from worpen_cli.console import Console, ExitCode
from worpen_cli.highlight import lexer_for
from worpen_cli.repl.commands import COMMANDS, Argument, expression_of, names_of
from worpen_cli.repl.completion import complete
from worpen_cli.repl.conversation import Conversation, Leave
from worpen_cli.repl.preview import Preview, Previewer
from worpen_cli.repl.statements import COMMAND_MARK, awaits_more, statements

PROMPT: Final = "worpen> "
CONTINUED: Final = "   ...> "
HISTORY_MODE: Final = 0o600
WIDEST_META: Final = 90
_INVITING: Final = re.compile(r"(?:[\w.:@/]|\|\s*|['\"(]|:\w+ )\Z")
"""The menu opens by itself behind these; elsewhere Tab opens it."""
STYLE: Final = {
    "bottom-toolbar": "noreverse",
    "preview.type": "italic",
    "preview.error": "fg:ansired",
    "preview.open": "fg:ansibrightblack",
    "mistake": "underline",
    "command": "bold",
    "matching-bracket.other": "bold underline",
    "matching-bracket.cursor": "bold underline",
}


def history_path() -> Path | None:
    """The file of the history, which only its owner can read; None where none can be kept."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    try:
        path = Path(home).expanduser() / "worpen" / "repl-history"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=HISTORY_MODE)
        path.chmod(HISTORY_MODE)
    except (OSError, RuntimeError):
        return None
    return path


def converse(conversation: Conversation, *, vi: bool = False) -> int:
    """Prompt until the user leaves."""
    session = make_session(conversation, vi=vi)
    greet(conversation)
    try:
        return _turns(session, conversation)
    finally:
        conversation.detach()


def _turns(session: PromptSession[str], conversation: Conversation) -> int:
    while True:
        try:
            typed = session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return ExitCode.FINE
        try:
            for statement in statements(typed):
                conversation.take(statement)
        except Leave:
            return ExitCode.FINE
        except KeyboardInterrupt:
            conversation.console.talk("interrupted")


def greet(conversation: Conversation) -> None:
    """Where one is, and how to learn more."""
    if conversation.scene is not None:
        from worpen_cli.repl.account import tell_entrance

        for line in tell_entrance(conversation.scene):
            conversation.say(line)
    else:
        conversation.say(f"worpen {__version__}  :help lists the commands, Tab completes")


def make_session(conversation: Conversation, *, vi: bool = False) -> PromptSession[str]:
    """The session: keys, colours, completion, history, bottom line."""
    previewer = Previewer(conversation.evaluator, expression_of)
    bottom = _BottomLine(conversation, previewer)
    colored = _colored(conversation.console)
    return PromptSession(
        lambda: _prompt(conversation),
        multiline=True,
        prompt_continuation=_continuation,
        history=_history(),
        lexer=_Colors(bottom),
        completer=Menu(conversation, previewer),
        complete_while_typing=True,
        bottom_toolbar=bottom.shown,
        key_bindings=_keys(),
        editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
        input_processors=[HighlightMatchingBracketProcessor()],
        style=_style(colored),
        include_default_pygments_style=False,
        color_depth=None if colored else ColorDepth.DEPTH_1_BIT,
        reserve_space_for_menu=6,
        enable_open_in_editor=True,
    )


def _colored(console: Console) -> bool:
    return console.colors(sys.stdout)


def _style(colored: bool) -> Style:
    own = Style.from_dict(STYLE)
    if not colored:
        return own
    from pygments.styles import get_style_by_name

    return cast(Style, merge_styles([style_from_pygments_cls(get_style_by_name("native")), own]))


def _history() -> History:
    path = history_path()
    return FileHistory(str(path)) if path is not None else InMemoryHistory()


def _prompt(conversation: Conversation) -> str:
    """The hook or connection whose scope this is stands in front."""
    if conversation.attached is not None:
        return f"{conversation.attached.id[:8]}> "
    return f"{conversation.scene.hook}> " if conversation.scene is not None else PROMPT


def _continuation(width: int, line: int, soft_wraps: int) -> str:
    return " " * width if soft_wraps else CONTINUED[-width:].rjust(width)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        menu = buffer.complete_state
        if menu is not None and menu.current_completion is not None:
            buffer.complete_state = None  # what is chosen stands there already
        elif awaits_more(buffer.text):
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=has_focus(DEFAULT_BUFFER))
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("f4")
    def _other_mode(event: KeyPressEvent) -> None:
        app = event.app
        app.editing_mode = EditingMode.EMACS if app.editing_mode == EditingMode.VI else EditingMode.VI

    return keys


# The bottom line.


class _BottomLine:
    """Type and value of what is typed, or what is wrong with it."""

    def __init__(self, conversation: Conversation, previewer: Previewer) -> None:
        self._conversation = conversation
        self._previewer = previewer

    def preview(self, typed: str) -> Preview:
        """What to say of a text."""
        return self._previewer.look(typed, self._conversation.scope, max(get_app().output.get_size().columns - 1, 20))

    def shown(self) -> StyleAndTextTuples:
        """The line for what is in the buffer."""
        typed = get_app().current_buffer.text
        if typed.lstrip().startswith(COMMAND_MARK) and expression_of(typed) is None:
            row = COMMANDS.get(typed.strip()[1:].partition(" ")[0])
            return [("class:preview.type", f"{row.usage}  {row.doc}" if row else "")]
        preview = self.preview(typed)
        width = get_app().output.get_size().columns - 1
        return [(f"class:preview.{preview.kind}", escape(preview.text)[:width])]


# Colours.


class _Colors(Lexer):
    """The language's colours, and a line under what is wrong."""

    def __init__(self, bottom: _BottomLine) -> None:
        self._bottom = bottom

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The styled lines of what is typed."""
        lines = styled(document.text, self._bottom.preview(document.text).span)
        return lambda number: lines[number] if number < len(lines) else []


def styled(text: str, wrong: tuple[int, int] | None) -> list[StyleAndTextTuples]:
    """Line by line: each character's class; those in `wrong` are underlined."""
    lines: list[StyleAndTextTuples] = [[]]
    for start, style, part in _tokens(text):
        for place, character in enumerate(part, start):
            if character == "\n":
                lines.append([])
                continue
            mistaken = " class:mistake" if wrong is not None and wrong[0] <= place < wrong[1] else ""
            lines[-1].append((style + mistaken, character))
    return lines


def _tokens(text: str) -> Iterable[tuple[int, str, str]]:
    begin = 0
    if text.lstrip().startswith(COMMAND_MARK):
        name = text.split(" ", 1)[0]
        yield 0, "class:command", name
        begin = len(name)
    for start, kind, part in lexer_for(text).get_tokens_unprocessed(text[begin:]):
        yield begin + start, f"class:{pygments_token_to_classname(kind)}", part


# The menu.


class Menu(Completer):
    """Completion by scope, by the value in front of a point, by what a pipe carries; commands and their arguments."""

    def __init__(self, conversation: Conversation, previewer: Previewer) -> None:
        self._conversation = conversation
        self._previewer = previewer

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What can stand at the cursor."""
        before = document.text_before_cursor
        if not complete_event.completion_requested and not _INVITING.search(before):
            return
        if not before.lstrip().startswith(COMMAND_MARK):
            yield from self._expression(before)
            return
        name, blank, argument = before.lstrip()[1:].partition(" ")
        if not blank:
            for known, row in COMMANDS.items():
                if known.startswith(name):
                    yield _entry(f":{known}", len(name) + 1, row.usage, row.doc)
        elif name in COMMANDS:
            yield from self._argument(COMMANDS[name].argument, argument, complete_event)

    def _argument(self, kind: Argument, typed: str, event: CompleteEvent) -> Iterable[Completion]:
        if kind == "expression":
            yield from self._expression(typed)
        elif kind == "file" or typed.startswith("@"):
            path = typed.removeprefix("@")
            yield from PathCompleter(expanduser=True).get_completions(Document(path), event)
        else:
            for name, doc in names_of(kind):
                if name.startswith(typed):
                    yield _entry(name, len(typed), name, doc)

    def _expression(self, before: str) -> Iterable[Completion]:
        scope = self._conversation.scope
        docs = {name: row.doc for name, row in INPUTS.items()} if self._conversation.scene else {}
        for found in complete(before, scope, lambda text: self._previewer.value(text, scope), docs):
            yield _entry(found.text, len(before) - found.start, found.shown, found.meta)


def _entry(text: str, replaced: int, shown: str, meta: str) -> Completion:
    return Completion(text, start_position=-replaced, display=escape(shown), display_meta=escape(meta)[:WIDEST_META])
