// The desk works without this file. It updates open pages after changes, keeps forms that somebody
// types in, counts SMS segments, shows passwords and copies links.
"use strict";

const live = { source: null, delayedRefresh: null, url: null, isRefresh: false, lost: false, timer: null, sending: 0, refreshPending: false };
const KEPT_IDS = ["said", "refused", "changed"];

document.addEventListener("DOMContentLoaded", initPage);
document.addEventListener("DOMContentLoaded", sendPresence);
document.addEventListener("htmx:afterSwap", initPage);
document.addEventListener("visibilitychange", () => (document.hidden ? (closeStream(), sendAbsence()) : (resume(), sendPresence())));
document.addEventListener("input", (event) => {
  if (event.target.form?.method === "post") event.target.form.dataset.dirty = "";
  if (event.target.matches("[data-segments]")) countSegments(event.target);
  if (event.target.matches("[name=channel]")) event.target.form.querySelectorAll("[data-segments]").forEach(countSegments);
  if (event.target.id === "body") markWriting();
});
document.addEventListener("click", (event) => {
  const reply = event.target.closest("[data-words]");
  const field = document.getElementById("body");
  if (!reply || !field || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  insertText(field, reply.dataset.words);
});
document.addEventListener("htmx:beforeRequest", ({ target }) => delete target.dataset.dirty);
// A refresh is delayed while a form is being sent: it could replace the form that the response
// belongs to.
document.addEventListener("htmx:beforeSend", ({ detail: { requestConfig, xhr } }) => {
  if (requestConfig.verb !== "post") return;
  live.sending++;
  xhr.addEventListener("loadend", () => {
    if (--live.sending || !live.refreshPending) return;
    live.refreshPending = false;
    refreshParts();
  });
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const form = detail.requestConfig.elt;
  live.isRefresh = detail.requestConfig.verb === "get";
  if (live.isRefresh && live.sending) {
    detail.shouldSwap = false;
    live.refreshPending = true;
    return;
  }
  // htmx focuses it after every swap; a refresh must not take the focus from another field.
  document.querySelectorAll("[autofocus]").forEach((field) => field.removeAttribute("autofocus"));
  if (!live.isRefresh && detail.xhr.status < 400 && form.matches("form")) {
    form.reset();
    form.closest("details")?.removeAttribute("open");
  }
});
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "k") {
    event.preventDefault();
    document.getElementById("q")?.focus();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && event.target.matches(".what a")) {
    moveSelection(step);
    event.preventDefault();
  }
  if (isSingleKey(event)) onSingleKey(event);
});
window.addEventListener("pagehide", sendAbsence);
setInterval(() => document.hidden || sendPresence(), 15_000);

function initPage() {
  const url = document.querySelector("[data-live]")?.dataset.live;
  if (url && url !== live.url && !document.hidden) openStream(url);
  if (!url) closeStream();
  scheduleRefresh();
  document.querySelectorAll("form:has(.refused, [data-draft])").forEach((form) => (form.dataset.dirty = ""));
  document.querySelectorAll("[data-segments]").forEach(countSegments);
  document.querySelectorAll("input[data-reveal]").forEach(offerReveal);
  document.querySelectorAll("input[data-copy]").forEach(offerCopy);
}

// One event stream while the page is visible. The browser reconnects by itself; after that, and when
// a hidden tab is shown again, the page is refreshed.
function openStream(url) {
  closeStream();
  live.url = url;
  live.source = new EventSource(url);
  live.source.addEventListener("timeline", onChange);
  live.source.onopen = () => {
    // A change between the rendering of a list and the start of its stream has sent no event.
    if (live.lost || document.querySelector("[data-calm]")) refreshParts();
    live.lost = false;
    showStatus("");
  };
  live.source.onerror = () => {
    live.lost = true;
    showStatus("Connection lost, trying again");
  };
}

function resume() {
  if (live.url === null && document.querySelector("[data-live], [data-look-again]")) refreshParts();
  initPage();
}

// A department changes often: its board is fetched at most once in half a second to two seconds.
function onChange() {
  if (!document.querySelector("[data-calm]")) return refreshParts();
  live.delayedRefresh ??= setTimeout(() => {
    live.delayedRefresh = null;
    refreshParts();
  }, 500 + 1500 * Math.random());
}

// Relative times become outdated: parts that show them are fetched at an interval.
function scheduleRefresh() {
  clearTimeout(live.timer);
  const seconds = document.querySelector("[data-look-again]")?.dataset.lookAgain;
  if (!seconds || document.hidden) return;
  live.timer = setTimeout(() => {
    scheduleRefresh();
    refreshParts();
  }, seconds * 1000);
}

function closeStream() {
  live.source?.close();
  live.source = live.url = null;
}

function refreshParts() {
  document.querySelectorAll("[data-follow]").forEach((part) => htmx.trigger(part, "follow"));
}

// Single-key shortcuts, unless they are off; never while somebody types.
const TYPED_INTO = "input:not([type=radio], [type=checkbox]), textarea, select, dialog *";
const KEYS = {
  j: () => moveSelection(1),
  k: () => moveSelection(-1),
  r: () => (document.getElementById("body") ? document.getElementById("body").focus() : selectedRow()?.click()),
  c: logCall,
  i: () => location.assign("/desk/inbox"),
  "?": () => document.getElementById("keys")?.showModal(),
};

function isSingleKey({ target, ctrlKey, metaKey, altKey, defaultPrevented }) {
  const typing = target.matches?.(TYPED_INTO) || target.isContentEditable;
  return "keys" in document.body.dataset && !(ctrlKey || metaKey || altKey || defaultPrevented || typing);
}

function onSingleKey(event) {
  const reasons = document.querySelectorAll("details[data-call][open] [type=radio]");
  const action = KEYS[event.key] ?? (reasons[event.key - 1] && (() => chooseReason(reasons[event.key - 1])));
  if (!action) return;
  event.preventDefault();
  action();
}

function selectedRow() {
  return document.activeElement?.closest(".what a") ?? document.querySelector(".what a");
}

// Moves down and up a list; from anywhere else, to its first row.
function moveSelection(step) {
  const rows = [...document.querySelectorAll(".what a")];
  const at = rows.indexOf(document.activeElement);
  (at < 0 ? rows[0] : rows[at + step])?.focus();
}

function chooseReason(radio) {
  radio.checked = true;
  radio.focus();
  radio.dispatchEvent(new Event("input", { bubbles: true }));
}

function logCall() {
  const form = document.querySelector("details[data-call]");
  if (!form) return selectedRow()?.dataset.call && location.assign(selectedRow().dataset.call);
  form.open = true;
  form.querySelector("[type=radio]").focus();
}

// A saved reply is inserted below the text that is written already.
function insertText(field, text) {
  field.value = field.value.trim() ? `${field.value.trimEnd()}\n${text}` : text;
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// Presence: colleagues with the same request open see each other as here, writing or gone.
const presenceState = { writing: false, timer: null };

function markWriting() {
  clearTimeout(presenceState.timer);
  presenceState.timer = setTimeout(() => { presenceState.writing = false; sendPresence(); }, 8_000);
  if (presenceState.writing) return;
  presenceState.writing = true;
  sendPresence();
}

function presenceRequest(fields) {
  const url = document.querySelector("[data-presence]")?.dataset.presence;
  const token = document.querySelector("[name=form_token]")?.value ?? "";
  return url ? [url, new URLSearchParams({ form_token: token, ...fields })] : null;
}

async function sendPresence() {
  const request = presenceRequest(presenceState.writing ? { writing: "1" } : {});
  if (!request) return;
  try {
    const answer = await fetch(request[0], { method: "POST", body: request[1] });
    const element = document.getElementById("here");
    const text = answer.ok && !answer.redirected ? await answer.text() : null;
    if (element && text !== null && element.innerHTML.trim() !== text.trim()) element.innerHTML = text;
  } catch {
    // Not sent while the connection is lost; the page shows that.
  }
}

function sendAbsence() {
  const request = presenceRequest({ gone: "1" });
  if (request) navigator.sendBeacon(...request);
}

function showStatus(text) {
  const element = document.getElementById("live-state");
  if (element && element.textContent !== text) element.textContent = text;
}

// A refresh removes no input: a form that somebody types in (or that was rejected with its input)
// stays, and so do the last message to the user and open details.
if (window.Idiomorph) {
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old) => !(old.tagName === "FORM" && "dirty" in old.dataset),
    beforeNodeRemoved: (old) => !(live.isRefresh && KEPT_IDS.includes(old.id)),
    beforeAttributeUpdated: (name, element) => !(element.tagName === "DETAILS" && name === "open" && element.open),
  });
}

// GSM 03.38: 160 septets, or 153 a part; its extension characters count two and are not split.
const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const EXTENDED = new Set("^{}\\[~]|€\f");
const PLAIN = { "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " " };

function countSegments(area) {
  const element = area.form?.querySelector("output");
  if (!element) return;
  if (area.form.querySelector("[name=channel]")?.value === "email") return void (element.textContent = "");
  // "[link]" is sent as the customer's link.
  const link = "x".repeat(document.body.dataset.linkLength ?? 0);
  // The signature is a part of the text.
  const written = area.value && (area.dataset.signature ?? "") + area.value;
  const text = written.replaceAll("[link]", link).replace(/[“”‘’–—…\u00a0]/g, (character) => PLAIN[character]);
  const nonGsm = [...text].find((character) => !GSM.has(character) && !EXTENDED.has(character));
  const widths = [...text].map((character) => (nonGsm ? character.length : EXTENDED.has(character) ? 2 : 1));
  const [singleLimit, part] = nonGsm ? [70, 67] : [160, 153];
  const parts = countParts(widths, singleLimit, part);
  element.textContent = !text ? "" : `${parts} SMS` +
    (nonGsm ? `, because of “${nonGsm}”` : "") + (parts === 1 ? `, ${singleLimit - sum(widths)} characters left` : "");
}

function countParts(widths, singleLimit, part) {
  if (sum(widths) <= singleLimit) return 1;
  let parts = 1, used = 0;
  for (const width of widths) {
    if (used + width > part) { parts += 1; used = 0; }
    used += width;
  }
  return parts;
}

function sum(widths) {
  return widths.reduce((total, width) => total + width, 0);
}

function offerReveal(input) {
  if (input.parentElement.classList.contains("revealing")) return;
  const button = createButton("Show", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.textContent = hidden ? "Hide" : "Show";
  });
  placeBeside(input, button, "revealing");
}

function offerCopy(input) {
  if (input.parentElement.classList.contains("revealing")) return;
  const button = createButton("Copy", async () => {
    input.select();
    await navigator.clipboard?.writeText(input.value);
    button.textContent = "Copied";
  });
  placeBeside(input, button, "revealing");
}

function createButton(text, action) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "quiet", textContent: text, onclick: action });
  return button;
}

function placeBeside(input, button, className) {
  const line = document.createElement("div");
  line.className = className;
  input.replaceWith(line);
  line.append(input, button);
}
