"""The obvious Python: for each reader Jinja2 renders both parts, EmailMessage encodes them, aiosmtplib sends them.

usage: obvious.py PORT OCTETS COUNT; prints its seconds and seconds of CPU.
It is meant kindly: the templates are compiled once, the connections are kept.
"""

from __future__ import annotations

import asyncio
import sys
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import aiosmtplib
from jinja2 import Environment

CONNECTIONS = 20
LINE = "Some words of a letter, {{ place }}, that go on for about as long as a line of a mail does.\n"


def templates(octets: int):
    environment = Environment(autoescape=False)
    text = "Hello {{ name }},\n" + LINE * (octets // 4 // len(LINE))
    html = "<p>Hello {{ name }},</p>\n" + f"<p style='margin:0'>{LINE}</p>" * (
        octets * 3 // 4 // (len(LINE) + 27)
    )
    return environment.from_string(text), environment.from_string(html)


def message(number: int, text, html) -> EmailMessage:
    values = {"name": f"Reader Number{number}", "place": "by the sea"}
    one = EmailMessage()
    one["From"] = "News <news@example.org>"
    one["To"] = f"Reader Number{number} <reader{number}@d{number % 5000}.example.net>"
    one["Subject"] = "A long letter, of the size that letters have"
    one["Date"] = formatdate()
    one["Message-ID"] = make_msgid(domain="example.org")
    one["List-Id"] = "News <main.example.org>"
    one["List-Unsubscribe"] = f"<https://news.example.org/u/{number}>, <mailto:leave+{number}@example.org>"
    one["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    one.set_content(text.render(values))
    one.add_alternative(html.render(values), subtype="html")
    return one


async def send(port: int, octets: int, count: int) -> None:
    numbers = iter(range(count))
    text, html = templates(octets)

    async def connection() -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False)
        async with client:
            for number in numbers:
                await client.send_message(message(number, text, html))

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    print(time.perf_counter() - began, time.process_time() - used)


if __name__ == "__main__":
    asyncio.run(send(*map(int, sys.argv[1:])))
