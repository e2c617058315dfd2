"""A shell on a device: types commands, answers what the device asks, and knows when an answer is whole."""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Final

import asyncssh

from miners.configurations.errors import BackupError, Reason
from miners.configurations.kind import Kind, Question

MOST: Final = 50_000_000
"""Characters of an answer at which reading it ends; a large configuration is some 5 million."""
_CHUNK: Final = 65_536
_LINE_END: Final = re.compile(r"\r+\n")
_ERASED: Final = re.compile(r"^(?:[ \t]*\r[ \t]*\r|\x08+[ \t]*\x08*)+", re.MULTILINE)
"""What a device sends to wipe a question of its pager from the screen."""
_ASKS: Final = re.compile(r"\b(more|press|any key|quit)\b|y/n|\?$", re.IGNORECASE)
"""What a line has that asks for a key, whoever made the device."""


class Shell:
    """The shell of one login. Read it from one task.

    `quiet` is how many seconds the device may be silent before it is given up.
    """

    def __init__(self, process: "asyncssh.SSHClientProcess[str]", kind: Kind, quiet: float) -> None:
        self._process = process
        self._kind = kind
        self._quiet = quiet
        self._prompt = ""

    async def greet(self) -> None:
        """Waits for the prompt, and learns it. Raises BackupError.

        A banner may hold what looks like a prompt. So an empty line is typed, and the prompt is what comes
        twice.
        """
        typed = False

        def arrived(text: str) -> bool:
            nonlocal typed
            lines = [line for line in text.replace("\r", "\n").split("\n") if line.strip()]
            if not lines or not self._kind.prompt.fullmatch(lines[-1].strip()) or text.endswith("\n"):
                return False
            if not typed:
                self._process.stdin.write("\n")
                typed = True
                return False
            self._prompt = lines[-1].strip()
            return len(lines) > 1 and lines[-2].strip() == self._prompt

        await self._read(arrived, (*self._kind.banners, *self._kind.pagers), "after the login no prompt came")

    async def run(self, command: str) -> str:
        """The answer to a command, with plain line ends. Raises BackupError where it is not whole."""
        self._process.stdin.write(f"{command}\n")

        def arrived(text: str) -> bool:
            return "\n" in text and text[text.rfind("\n") + 1 :].strip() == self._prompt

        text = await self._read(arrived, self._kind.pagers, f"{command}: the answer has no end")
        text = _LINE_END.sub("\n", text)
        first, _, rest = text.partition("\n")
        answer = rest if first.rstrip().endswith(command) else text
        return _ERASED.sub("", answer[: answer.rfind("\n") + 1])

    async def leave(self) -> None:
        """Logs out."""
        self._process.stdin.write("exit\n")

    async def _read(self, arrived: Callable[[str], bool], questions: Iterable[Question], fault: str) -> str:
        text = ""
        while not arrived(text):
            asked = self._question(text, questions)
            if asked is not None:
                text = text[:asked]
            try:
                async with asyncio.timeout(self._quiet):
                    piece = await self._process.stdout.read(_CHUNK)
            except TimeoutError:
                raise self._silent(text, fault) from None
            except (OSError, asyncssh.Error):
                piece = ""
            if not piece:
                lines = text.count("\n")
                raise BackupError(
                    Reason.UNREACHABLE, f"{fault}: the connection was cut after {lines} lines", passing=True
                )
            text += piece
            if len(text) > MOST:
                raise BackupError(Reason.TOO_LONG, f"{fault}: it is longer than {MOST:,} characters")
        return text

    def _question(self, text: str, questions: Iterable[Question]) -> int | None:
        """Answers what is asked in the last line, and gives where that line begins."""
        begin = max(text.rfind("\n"), text.rfind("\r", 0, len(text.rstrip()))) + 1
        last = text[begin:].strip()
        for question in questions:
            if last and question.pattern.search(last):
                self._process.stdin.write(question.answer)
                return begin
        return None

    def _silent(self, text: str, fault: str) -> BackupError:
        """The last line itself is not told: it may be half a secret."""
        lines, last = text.count("\n"), text[text.rfind("\n") + 1 :].strip()
        if last and _ASKS.search(last):
            return BackupError(
                Reason.PAGER,
                f"{fault}: after {lines} lines the device asks something that is not known, in a line of "
                f"{len(last)} characters; log in by hand, see what it is, and switch it off for this account",
            )
        return BackupError(
            Reason.TIMEOUT,
            f"{fault}: after {lines} lines the device was silent for {self._quiet:g} s",
            passing=True,
        )
