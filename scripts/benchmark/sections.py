"""A section of an article that one kind of run writes and every other leaves alone."""

from dataclasses import dataclass
from pathlib import Path

from .failure import Failure

#: An article of which no run has written anything yet.
BLANK = "# Performance\n\nHow fast Holdfast is, and how to measure it again.\n"


@dataclass(frozen=True)
class Section:
    """Between two lines, each of which is there once."""

    begin: str
    end: str

    def found(self, text: str, name: str) -> str:
        """From mark to mark, both with it; empty when there is none.

        Raises Failure when the marks are not a pair; `name` is how the article is called then.
        """
        if self.begin not in text and self.end not in text:
            return ""
        if text.count(self.begin) != 1 or text.count(self.end) != 1 or text.index(self.begin) > text.index(self.end):
            raise Failure(f"{name} has not the lines {self.begin} and {self.end}, once each and in this order")
        return text[text.index(self.begin):text.index(self.end) + len(self.end)]

    def put(self, text: str, body: str, name: str) -> str:
        """The article with the section in place of the one that is there, or at its end.

        Raises Failure when the marks are not a pair.
        """
        section = f"{self.begin}\n{body.strip()}\n{self.end}"
        old = self.found(text, name)
        return text.replace(old, section) if old else f"{text.rstrip()}\n\n{section}\n"

    def body(self, article: Path) -> str:
        """What is between the marks; empty when there is no article, or no section in it. Raises Failure as `found` does."""
        text = self.found(article.read_text(), article.name) if article.exists() else ""
        return text.removeprefix(self.begin).removesuffix(self.end).strip()
