"""Chromium for the tests of pages."""

from tests.web.browser import chrome, reader

__all__ = ["chrome", "reader"]
