"""The desk in a browser: sign-in, double clicks and stale pages."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PASSWORD, CustomerPhone, OpenDeskPage
from tests.browser.product import ProductStack


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill("tess@acme.example")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_staff_sign_in_out_and_in_again(
    product: ProductStack,
    session_cookies: dict[str, Any],
    open_page: Callable[..., Page],
    check_accessible: Callable[[Page], None],
) -> None:
    """With the password that the invitation let her choose, in a browser of its own."""
    tess = open_page(**DESK)
    tess.goto(f"{product.address}/desk")
    expect(tess.get_by_role("heading", level=1)).to_have_text("Sign in")
    check_accessible(tess)
    sign_in(tess, "not my password at all")
    expect(tess.get_by_role("alert")).to_contain_text("do not belong together")
    check_accessible(tess)
    sign_in(tess)
    expect(tess.get_by_role("heading", level=1)).to_have_text("Telesales")
    tess.get_by_label("Tess Sales: account").click()
    tess.get_by_role("link", name="Your account").click()
    expect(tess.get_by_role("heading", level=1)).to_have_text("Your account")
    expect(tess.get_by_text("this browser")).to_have_count(1)
    check_accessible(tess)
    tess.get_by_label("Tess Sales: account").click()
    tess.get_by_role("button", name="Sign out", exact=True).click()
    expect(tess.get_by_role("heading", level=1)).to_have_text("Sign in")
    sign_in(tess)
    expect(tess.get_by_role("heading", level=1)).to_have_text("Telesales")


def test_double_click_advances_once(
    product: ProductStack, key: str, martin: CustomerPhone, desk: OpenDeskPage
) -> None:
    """The courier's last leg is not skipped by a hasty hand."""
    reference, _ = martin
    product.advance_to_courier(reference, key)
    carl = desk("carl", f"/requests/{reference}")
    carl.get_by_role("button", name="Complete and continue with Delivered").dblclick()
    expect(carl.get_by_role("button", name="Complete", exact=True)).to_be_visible()
    carl.reload()
    expect(carl.get_by_role("button", name="Complete", exact=True)).to_be_visible()
    assert product.call(f"/requests/{reference}", key)["status"] == "open"


def test_stale_page_changes_nothing(
    product: ProductStack,
    key: str,
    martin: CustomerPhone,
    desk: OpenDeskPage,
    check_accessible: Callable[[Page], None],
) -> None:
    """A colleague was faster: what happened is told, and what was written is not lost."""
    reference, _ = martin
    tess = desk("tess", f"/requests/{reference}")
    tess.context.route("**/live", lambda route: route.abort())
    tess.reload()
    tess.get_by_label("Note to customer").fill("All papers are here.")
    product.call(f"/requests/{reference}/hold", key, reason="We wait for a paper of yours.")
    tess.get_by_role("button", name="Complete and hand off to Underwriting").click()
    expect(tess.get_by_role("alert").first).to_contain_text("Updated by someone else")
    expect(tess.get_by_role("alert").first).to_contain_text("We wait for a paper of yours.")
    assert product.call(f"/requests/{reference}", key)["status"] == "on_hold"
    check_accessible(tess)


def test_request_is_opened_at_the_desk(
    product: ProductStack, desk: OpenDeskPage, check_accessible: Callable[[Page], None]
) -> None:
    """A mistake is shown where it was made; then the customer is texted."""
    tess = desk("tess", "/requests/new")
    check_accessible(tess)
    tess.get_by_label("s name").fill("Nora Newman")
    tess.get_by_role("button", name="Create and send link").click()
    expect(tess.get_by_text("Please give a phone number or an e-mail address")).to_be_visible()
    expect(tess.get_by_label("s name")).to_have_value("Nora Newman")
    tess.get_by_label("Mobile phone").fill("+1 415 555 0199")
    tess.get_by_role("button", name="Create and send link").click()
    expect(tess.get_by_text("Nora Newman").first).to_be_visible()
    (text,) = product.carrier.wait_for(lambda: product.carrier.texts_to("+14155550199")).result()
    assert "Hi Nora" in text.body


def test_undelivered_text_is_resolved(
    product: ProductStack,
    martin: CustomerPhone,
    desk: OpenDeskPage,
    check_accessible: Callable[[Page], None],
) -> None:
    """She reads why beside her words, sends them once more, and the phone has them."""
    reference, phone = martin
    phone.reads("We have your application")
    tess = desk("tess", f"/requests/{reference}")
    product.carrier.fault("undelivered", to=phone.number, code=30004, times=1)
    tess.get_by_label("Reply", exact=True).fill("Bring your passport.")
    tess.get_by_role("button", name="Send", exact=True).click()
    tess.get_by_role("link", name="Fix").click(timeout=20_000)
    expect(tess.get_by_text("the carrier or the customer blocks our texts")).to_be_visible()
    check_accessible(tess)
    lost = tess.get_by_role("article").filter(has_text="Bring your passport.")
    lost.get_by_text("Mark as informed").first.click()
    expect(lost.get_by_label("Internal note")).to_be_visible()
    lost.get_by_role("button", name="Send again").click()
    expect(tess.get_by_role("status").first).to_contain_text("Sending again")
    expect(tess.get_by_text("Bring your passport.")).to_have_count(0)
    tess.goto(f"{product.address}/desk/requests/{reference}")
    expect(tess.get_by_text("handled by Tess Sales")).to_be_visible()
    expect(tess.get_by_text("Delivered").last).to_be_visible(timeout=20_000)


def test_new_date_is_saved_with_its_reason(
    product: ProductStack,
    key: str,
    martin: CustomerPhone,
    desk: OpenDeskPage,
    check_accessible: Callable[[Page], None],
) -> None:
    """One that has passed is refused where it was typed; a good one stands at once."""
    reference, _ = martin
    tess = desk("tess", f"/requests/{reference}")
    tess.get_by_text("Change due date").click()
    check_accessible(tess)
    form = tess.locator('form[action$="/delay"]')
    form.get_by_label("Reason").fill("A paper has to be signed again.")
    form.get_by_label("New date").fill("2020-01-01T10:00")
    form.get_by_role("button", name="Save and notify").click()
    expect(form.get_by_role("alert")).to_contain_text("has passed already")
    expect(form.get_by_label("Reason")).to_have_value("A paper has to be signed again.")
    check_accessible(tess)
    form.get_by_label("New date").fill("2099-01-01T10:00")
    form.get_by_role("button", name="Save and notify").click()
    expect(tess.get_by_text("Saved. The customer is notified")).to_be_visible()
    due = product.call(f"/requests/{reference}", key)["stages"][0]["due_at"]
    assert due.startswith("2099-01-01")
