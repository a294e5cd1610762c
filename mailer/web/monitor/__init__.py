"""For machines that watch: `/readyz` and `/metrics` on a port of their own, which is not to be reached from outside."""

from __future__ import annotations

from mailer.web.monitor.serving import run

__all__ = ["run"]
