"""A page in a window of its own, with what it asked for and what it complained of."""

from pathlib import Path

from playwright.sync_api import Browser, Page


class Opened:
    """The file at `path` in a new window of `browser`, offline; closed with the `with` statement.

    requests: the addresses that the page asked for, its own first. complaints: what it wrote to the console, the errors
    that it raised, and the boxes that it opened.
    """

    def __init__(self, browser: Browser, path: Path, **options):
        self.context = browser.new_context(offline=True, **options)
        self.page: Page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._refuse)
        self.page.goto(path.as_uri())

    def _refuse(self, dialog) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_) -> None:
        self.context.close()
