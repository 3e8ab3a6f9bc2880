"""The carrier's calls to the product: their parameters, signatures and retries."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from mimetypes import guess_type
from secrets import token_hex
from urllib.parse import parse_qs, urldefrag, urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree as ET

import aiohttp
import phonenumbers
from yarl import URL

from portal.demo.fake_providers.channels import WHATSAPP, channel_of
from portal.demo.fake_providers.config import CarrierConfig, is_loopback
from portal.demo.fake_providers.sms import API_VERSION, Text, number_of

Parameters = dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a webhook was answered.

    `kind` is ok, or Twilio's word for the failure: 4xx, 5xx, ct (no connection), rt (no answer
    in time), or none where it was not posted at all.
    """

    kind: str
    status: int | None = None
    body: str = ""
    content_type: str = ""
    error: str = ""

    @property
    def messages(self) -> list[str]:
        """The text of each <Message> in a TwiML response; none where it is not TwiML."""
        if self.kind != "ok" or not self.content_type.endswith("xml"):
            return []
        try:
            response = ET.fromstring(self.body)  # noqa: S314 - the product's own, on loopback
        except ET.ParseError:
            return []
        written = (m.findtext("Body") or m.text or "" for m in response.iter("Message"))
        return [words.strip() for words in written if words.strip()]


class Webhooks:
    """Posts signed webhooks, to loopback only. Needs a running event loop from its first post on."""

    CONNECTIONS = 100

    def __init__(self, config: CarrierConfig) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, parameters: Parameters) -> Outcome:
        """Post once, and again as far as `#rc=` and `rp=` on the URL ask for it.

        Source: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
        """
        url, fragment = urldefrag(url)
        retries, reasons = retry_policy(fragment)
        outcome = await self._post_once(url, parameters)
        while retries and outcome.kind in reasons:
            retries -= 1
            outcome = await self._post_once(url, parameters)
        return outcome

    async def _post_once(self, url: str, parameters: Parameters) -> Outcome:
        target = self._target(url)
        if not is_loopback(urlsplit(target).hostname):
            return Outcome("none", error="Not posted: the simulator calls loopback only.")
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": sign(self._config.auth_token, url, parameters),
            "I-Twilio-Idempotency-Token": token_hex(16),
            "User-Agent": "TwilioProxy/1.1",
        }
        try:
            async with self._connected().post(
                URL(target, encoded=True),
                data=urlencode(parameters).encode(),
                headers=headers,
                allow_redirects=False,
            ) as answer:
                kind = f"{answer.status // 100}xx" if answer.status >= 400 else "ok"
                return Outcome(kind, answer.status, await answer.text(), answer.content_type)
        except TimeoutError:
            return Outcome("rt", error="No answer in time.")
        except aiohttp.ClientConnectorError as error_response:
            return Outcome("ct", error=str(error_response))
        except aiohttp.ClientError as broken:
            return Outcome("rt", error=str(broken) or type(broken).__name__)

    def _target(self, url: str) -> str:
        if not self._config.webhook_origin:
            return url
        origin, parts = urlsplit(self._config.webhook_origin), urlsplit(url)
        return urlunsplit((origin.scheme, origin.netloc, parts.path, parts.query, ""))

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._config.webhook_timeout),
            )
        return self._session

    async def close(self) -> None:
        """Close every connection; a later post opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def retry_policy(fragment: str) -> tuple[int, frozenset[str]]:
    """How often to try again, and after which failures; by default never."""
    overrides = parse_qs(fragment)
    wanted = overrides.get("rc", ["0"])[-1]
    retries = min(int(wanted), 5) if wanted.isdecimal() else 0
    reasons = frozenset(overrides.get("rp", ["ct"])[-1].split(","))
    return retries, frozenset({"4xx", "5xx", "ct", "rt"}) if "all" in reasons else reasons


def sign(auth_token: str, url: str, parameters: Parameters) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted names and values, in base64.

    Source: https://www.twilio.com/docs/usage/security#validating-requests
    """
    words = url + "".join(name + value for name, value in sorted(parameters.items()))
    digest = hmac.new(auth_token.encode(), words.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def status_parameters(
    account_sid: str, text: Text, status: str, error_code: int | None = None
) -> Parameters:
    """A status callback's parameters."""
    parameters = {
        "SmsSid": text.sid,
        "SmsStatus": status,
        "MessageStatus": status,
        "To": text.to,
        "MessageSid": text.sid,
        "AccountSid": account_sid,
        "From": text.from_,
        "ApiVersion": API_VERSION,
    }
    if text.messaging_service_sid:
        parameters["MessagingServiceSid"] = text.messaging_service_sid
    if error_code:
        parameters["ErrorCode"] = str(error_code)
    channel = channel_of(text.to)
    if channel:
        parameters["ChannelPrefix"] = channel
    if status in {"delivered", "undelivered"}:
        parameters["RawDlrDoneDate"] = text.updated_at.strftime("%y%m%d%H%M")
    return parameters


def inbound_parameters(account_sid: str, text: Text, opt_out: str | None) -> Parameters:
    """An incoming text's parameters; unknown places are blank."""
    parameters = {
        "ToCountry": country_of(number_of(text.to)),
        "ToState": "",
        "SmsMessageSid": text.sid,
        "NumMedia": str(len(text.media)),
        "ToCity": "",
        "FromZip": "",
        "SmsSid": text.sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": text.body,
        "FromCountry": country_of(text.phone),
        "To": text.to,
        "ToZip": "",
        "NumSegments": str(text.segments),
        "MessageSid": text.sid,
        "AccountSid": account_sid,
        "From": text.from_,
        "ApiVersion": API_VERSION,
    }
    if text.messaging_service_sid:
        parameters["MessagingServiceSid"] = text.messaging_service_sid
        if opt_out:
            parameters["OptOutType"] = opt_out
    if channel_of(text.from_) == WHATSAPP:
        parameters |= {
            "WaId": text.phone.removeprefix("+"),
            "ProfileName": "",
            "MessageType": "text",
        }
    for place, url in enumerate(text.media):
        parameters[f"MediaUrl{place}"] = url
        parameters[f"MediaContentType{place}"] = guess_type(url)[0] or "application/octet-stream"
    return parameters


def country_of(number: str) -> str:
    """The country's two letters, or nothing where it is unknown."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
