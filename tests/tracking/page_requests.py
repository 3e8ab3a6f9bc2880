"""Requests to the status page that several tests share."""

import re
from html import unescape

import httpx2

from portal.models import ServiceRequest
from tests.support.sample_images import PDF, photo


def link(request: ServiceRequest) -> str:
    assert request.live_link
    return f"/r/{request.live_link.token}"


def read(answer: httpx2.Response) -> str:
    """The page's text as it is read, without the head."""
    text = unescape(re.sub(r"<[^>]+>", " ", answer.text.split("<body>", 1)[1]))
    return re.sub(r"\s+([.,;:])", r"\1", re.sub(r"\s+", " ", text))


async def send_paper(browser: httpx2.AsyncClient, request: ServiceRequest) -> str:
    """Upload a photo and a passport, and return the path of the passport, seen without the upload cookie."""
    files = [
        ("file", ("crack.jpg", photo(), "image/jpeg")),
        ("file", ("passport Miller.pdf", PDF, "application/pdf")),
    ]
    await browser.post(f"{link(request)}/messages", data={"body": "Here."}, files=files)
    page = (await browser.get(link(request))).text
    browser.cookies.delete("kept_sent", path=link(request))
    return re.findall(rf'href="({link(request)}/files/\d+)"', page)[-1]
