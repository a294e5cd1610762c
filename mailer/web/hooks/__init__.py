"""What providers report, at `POST /hooks/{name}`: proven, put into our words, and taken whole or not at all."""

from __future__ import annotations

from mailer.web.hooks.router import router

__all__ = ["router"]
