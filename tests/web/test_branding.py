"""Accent colors with enough contrast, and the logo of the brand."""

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from portal.app import create_app
from portal.branding.color import (
    DARK_BACKGROUNDS,
    DEFAULT_ACCENT,
    LIGHT_BACKGROUNDS,
    MIN_CONTRAST,
    WHITE,
    Accent,
    Color,
)
from portal.branding.theme import MAX_LOGO_BYTES, Theme
from portal.paths import STATIC
from portal.settings import Settings, SettingsError
from portal.web import templating
from tests.support.factories import ORIGIN
from tests.support.sample_images import photo
from tests.support.status_page.card_page import MARTIN, html

pytestmark = pytest.mark.either_database

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 20"><path d="M0 0h80v20z"/></svg>'
GOOD = ("#0b5f5a", "0b5f5a", "#c8102e", "#003087", "#000", "#1d4ed8,#9ab8ff")


def told(**variables: object) -> Settings:
    return Settings(_env_file=None, **variables)


def shades(css: str) -> list[dict[str, str]]:
    """By day and by night: each colour by its name."""
    blocks = re.findall(r":root\s*\{([^}]*--brand[^}]*)\}", css)
    return [dict(re.findall(r"--(\w+):\s*(#\w+)", block)) for block in blocks]


@pytest.mark.parametrize("color", GOOD)
def test_accepted_accent_has_contrast_everywhere(color: str) -> None:
    """Words in it on each of our grounds, words on it, and the customer's own words: WCAG's AA."""
    accent = Accent.read(color)
    for worn, grounds in (
        (accent.light_shades(), LIGHT_BACKGROUNDS),
        (accent.dark_shades(), DARK_BACKGROUNDS),
    ):
        for ground in (*grounds, worn["on"], worn["wash"]):
            assert worn["brand"].contrast(ground) >= MIN_CONTRAST
        assert WHITE.contrast(worn["me"]) >= MIN_CONTRAST


@pytest.mark.parametrize("color", GOOD)
def test_muted_text_has_contrast_on_the_tinted_background(color: str) -> None:
    """The page begins in a pale shade of the brand, and names and times stand on it."""
    css = (STATIC / "customer.css").read_text()
    accent = Accent.read(color)
    for worn, block in zip((accent.light_shades(), accent.dark_shades()), shades(css), strict=True):
        for name in ("soft", "ink"):
            assert Color.read(block[name]).contrast(worn["wash"]) >= MIN_CONTRAST


@pytest.mark.parametrize(
    ("color", "words"),
    [
        ("yellow", "KEPT_ACCENT must be a colour such as #0b5f5a"),
        ("#12345", "KEPT_ACCENT must be a colour such as #0b5f5a"),
        ("#0b5f5a,", "KEPT_ACCENT must be a colour such as #0b5f5a"),
        ("#ffcc00", "KEPT_ACCENT has too little contrast by day"),
        ("#0b5f5a,#0b5f5a", "KEPT_ACCENT has too little contrast by night"),
    ],
)
def test_accent_without_contrast_is_rejected_at_start(
    monkeypatch: pytest.MonkeyPatch, color: str, words: str
) -> None:
    monkeypatch.setenv("KEPT_ACCENT", color)
    with pytest.raises(SettingsError) as refusal:
        Settings.load()
    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize("color", ["#ffcc00", "#6cc4bb", "#fff", "#ff8800", "#0b5f5a,#0b5f5a"])
def test_suggested_accent_is_accepted(color: str) -> None:
    with pytest.raises(ValueError, match="the nearest that works is") as refusal:
        Accent.read(color)
    nearest = re.search(r"#[0-9a-f]{6}", str(refusal.value))
    assert nearest
    dark_shades = "night" in str(refusal.value)
    Accent.read(f"#0b5f5a,{nearest[0]}" if dark_shades else nearest[0])


def test_default_colors_follow_the_accent_rule() -> None:
    """The sheet says by hand what is reckoned for a brand: neither goes without the other."""
    for worn, block in zip(
        (DEFAULT_ACCENT.light_shades(), DEFAULT_ACCENT.dark_shades()),
        shades((STATIC / "customer.css").read_text()),
        strict=True,
    ):
        assert {name: block[name] for name in worn} == {
            name: str(color) for name, color in worn.items()
        }


def test_policy_hash_follows_the_accent() -> None:
    """With another accent the page's style is another, and it is that which may stand there."""
    theme = Theme(Accent.read("#c8102e"))
    page = html(replace(MARTIN, theme=theme))
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    assert "--brand:#c8102e" in style[1]
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in templating.headers(theme)["Content-Security-Policy"]
    assert f"'sha256-{digest}'" not in templating.headers()["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "body", "kind", "width"),
    [
        ("logo.svg", SVG, "image/svg+xml", 128),
        ("logo.png", photo(60, 30, "PNG"), "image/png", 64),
    ],
)
async def test_logo_has_the_brand_as_alt_text(
    settings: Settings, tmp_path: Path, name: str, body: bytes, kind: str, width: int
) -> None:
    """Served by its hash; where it does not come, the name is there in its place."""
    (tmp_path / name).write_bytes(body)
    logo = told(KEPT_LOGO=tmp_path / name, KEPT_DATA_DIR=tmp_path).logo
    app = create_app(settings.model_copy(update={"logo": logo, "accent": Accent.read("#c8102e")}))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN) as client,
    ):
        front = await client.get("/")
        assert "--brand:#c8102e" in front.text
        drawn = re.search(
            r'<img src="([^"]+)" alt="Acme Bank" width="(\d+)" height="32">', front.text
        )
        assert drawn
        assert int(drawn[2]) == width
        answer = await client.get(drawn[1])
        assert (answer.content, answer.headers["Content-Type"]) == (body, kind)
        assert "immutable" in answer.headers["Cache-Control"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_brand_is_shown_without_a_logo(client: httpx2.AsyncClient) -> None:
    assert "<b>Acme Bank</b>" in (await client.get("/")).text
    assert (await client.get("/logo")).status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"GIF89a", "KEPT_LOGO must name a picture: an SVG or a PNG."),
        (SVG + b" " * MAX_LOGO_BYTES, "KEPT_LOGO is too large: 40 kB at most."),
        (None, "KEPT_LOGO must name a file that we may read."),
    ],
)
def test_invalid_logo_is_rejected_at_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: bytes | None, words: str
) -> None:
    path = tmp_path / "logo.svg"
    if body is not None:
        path.write_bytes(body)
    monkeypatch.setenv("KEPT_LOGO", str(path))
    with pytest.raises(SettingsError) as refusal:
        Settings.load()
    assert str(refusal.value) == words
