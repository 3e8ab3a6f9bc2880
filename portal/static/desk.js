// The desk works without this file. With it: pages follow what colleagues and customers do, what
// is being typed is never taken away, texts are counted, passwords can be shown, links copied.
"use strict";

const stay = { source: null, calm: null, url: null, following: false, lost: false, timer: null, sending: 0, waiting: false };
const KEEP = ["said", "refused", "changed"];

document.addEventListener("DOMContentLoaded", arrive);
document.addEventListener("DOMContentLoaded", beHere);
document.addEventListener("htmx:afterSwap", arrive);
document.addEventListener("visibilitychange", () => (document.hidden ? (leave(), goAway()) : (comeBack(), beHere())));
document.addEventListener("input", (event) => {
  if (event.target.form?.method === "post") event.target.form.dataset.dirty = "";
  if (event.target.matches("[data-segments]")) count(event.target);
  if (event.target.matches("[name=channel]")) event.target.form.querySelectorAll("[data-segments]").forEach(count);
  if (event.target.id === "body") writes();
});
document.addEventListener("click", (event) => {
  const reply = event.target.closest("[data-words]");
  const box = document.getElementById("body");
  if (!reply || !box || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  put(box, reply.dataset.words);
});
document.addEventListener("htmx:beforeRequest", ({ target }) => delete target.dataset.dirty);
// While something is being sent, news waits: drawn now, it could take away the form that the answer
// belongs to.
document.addEventListener("htmx:beforeSend", ({ detail: { requestConfig, xhr } }) => {
  if (requestConfig.verb !== "post") return;
  stay.sending++;
  xhr.addEventListener("loadend", () => {
    if (--stay.sending || !stay.waiting) return;
    stay.waiting = false;
    catchUp();
  });
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const form = detail.requestConfig.elt;
  stay.following = detail.requestConfig.verb === "get";
  if (stay.following && stay.sending) {
    detail.shouldSwap = false;
    stay.waiting = true;
    return;
  }
  if (!stay.following && detail.xhr.status < 400 && form.matches("form")) {
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
    move(step);
    event.preventDefault();
  }
  if (isSingleKey(event)) pressed(event);
});
window.addEventListener("pagehide", goAway);
setInterval(() => document.hidden || beHere(), 15_000);

function arrive() {
  const url = document.querySelector("[data-live]")?.dataset.live;
  if (url && url !== stay.url && !document.hidden) listen(url);
  if (!url) leave();
  lookAgain();
  document.querySelectorAll("form:has(.refused, [data-draft])").forEach((form) => (form.dataset.dirty = ""));
  document.querySelectorAll("[data-segments]").forEach(count);
  document.querySelectorAll("input[data-reveal]").forEach(offerReveal);
  document.querySelectorAll("input[data-copy]").forEach(offerCopy);
}

// One stream while the page is looked at. The browser reconnects by itself; after that, and when a
// hidden tab is shown again, the page catches up by looking afresh.
function listen(url) {
  leave();
  stay.url = url;
  stay.source = new EventSource(url);
  stay.source.addEventListener("timeline", hear);
  stay.source.onopen = () => {
    // What came between the drawing of a list and its stream was told to nobody.
    if (stay.lost || document.querySelector("[data-calm]")) catchUp();
    stay.lost = false;
    say("");
  };
  stay.source.onerror = () => {
    stay.lost = true;
    say("Connection lost, trying again");
  };
}

function comeBack() {
  if (stay.url === null && document.querySelector("[data-live], [data-look-again]")) catchUp();
  arrive();
}

// What a department does is much: its board is fetched again once for all of a second or two.
function hear() {
  if (!document.querySelector("[data-calm]")) return catchUp();
  stay.calm ??= setTimeout(() => {
    stay.calm = null;
    catchUp();
  }, 500 + 1500 * Math.random());
}

// Times grow old by themselves: what says them is fetched again now and then.
function lookAgain() {
  clearTimeout(stay.timer);
  const seconds = document.querySelector("[data-look-again]")?.dataset.lookAgain;
  if (!seconds || document.hidden) return;
  stay.timer = setTimeout(() => {
    lookAgain();
    catchUp();
  }, seconds * 1000);
}

function leave() {
  stay.source?.close();
  stay.source = stay.url = null;
}

function catchUp() {
  document.querySelectorAll("[data-follow]").forEach((part) => htmx.trigger(part, "follow"));
}

// Single keys, unless they are turned off; never while somebody types.
const TYPED_INTO = "input:not([type=radio], [type=checkbox]), textarea, select, dialog *";
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  r: () => (document.getElementById("body") ? document.getElementById("body").focus() : marked()?.click()),
  c: logCall,
  i: () => location.assign("/desk/inbox"),
  "?": () => document.getElementById("keys")?.showModal(),
};

function isSingleKey({ target, ctrlKey, metaKey, altKey, defaultPrevented }) {
  const typing = target.matches?.(TYPED_INTO) || target.isContentEditable;
  return "keys" in document.body.dataset && !(ctrlKey || metaKey || altKey || defaultPrevented || typing);
}

function pressed(event) {
  const reasons = document.querySelectorAll("details[data-call][open] [type=radio]");
  const act = KEYS[event.key] ?? (reasons[event.key - 1] && (() => choose(reasons[event.key - 1])));
  if (!act) return;
  event.preventDefault();
  act();
}

function marked() {
  return document.activeElement?.closest(".what a") ?? document.querySelector(".what a");
}

// Down and up a list; from anywhere else, to its first row.
function move(step) {
  const rows = [...document.querySelectorAll(".what a")];
  const at = rows.indexOf(document.activeElement);
  (at < 0 ? rows[0] : rows[at + step])?.focus();
}

function choose(radio) {
  radio.checked = true;
  radio.focus();
  radio.dispatchEvent(new Event("input", { bubbles: true }));
}

function logCall() {
  const form = document.querySelector("details[data-call]");
  if (!form) return marked()?.dataset.call && location.assign(marked().dataset.call);
  form.open = true;
  form.querySelector("[type=radio]").focus();
}

// A reply at hand goes below what is written already.
function put(box, words) {
  box.value = box.value.trim() ? `${box.value.trimEnd()}\n${words}` : words;
  box.focus();
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

// Two people in one conversation see each other: here, writing, gone.
const here = { writing: false, rest: null };

function writes() {
  clearTimeout(here.rest);
  here.rest = setTimeout(() => { here.writing = false; beHere(); }, 8_000);
  if (here.writing) return;
  here.writing = true;
  beHere();
}

function presence(fields) {
  const url = document.querySelector("[data-presence]")?.dataset.presence;
  const token = document.querySelector("[name=form_token]")?.value ?? "";
  return url ? [url, new URLSearchParams({ form_token: token, ...fields })] : null;
}

async function beHere() {
  const told = presence(here.writing ? { writing: "1" } : {});
  if (!told) return;
  try {
    const answer = await fetch(told[0], { method: "POST", body: told[1] });
    const place = document.getElementById("here");
    const words = answer.ok && !answer.redirected ? await answer.text() : null;
    if (place && words !== null && place.innerHTML.trim() !== words.trim()) place.innerHTML = words;
  } catch {
    // Nobody is told while the connection is lost; the page says so itself.
  }
}

function goAway() {
  const told = presence({ gone: "1" });
  if (told) navigator.sendBeacon(...told);
}

function say(words) {
  const place = document.getElementById("live-state");
  if (place && place.textContent !== words) place.textContent = words;
}

// Following others takes nothing away: a form that somebody is writing in (or that was refused and
// holds what they wrote) stays as it is, so does the last word to them, and what is unfolded.
if (window.Idiomorph) {
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old) => !(old.tagName === "FORM" && "dirty" in old.dataset),
    beforeNodeRemoved: (old) => !(stay.following && KEEP.includes(old.id)),
    beforeAttributeUpdated: (name, element) => !(element.tagName === "DETAILS" && name === "open" && element.open),
  });
}

// GSM 03.38: 160 septets, or 153 a part; its extension characters count two and are not split.
const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const EXTENDED = new Set("^{}\\[~]|€\f");
const PLAIN = { "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " " };

function count(area) {
  const place = area.form?.querySelector("output");
  if (!place) return;
  if (area.form.querySelector("[name=channel]")?.value === "email") return void (place.textContent = "");
  const text = area.value.replace(/[“”‘’–—…\u00a0]/g, (sign) => PLAIN[sign]);
  const foreign = [...text].find((sign) => !GSM.has(sign) && !EXTENDED.has(sign));
  const widths = [...text].map((sign) => (foreign ? sign.length : EXTENDED.has(sign) ? 2 : 1));
  const [whole, part] = foreign ? [70, 67] : [160, 153];
  const parts = split(widths, whole, part);
  place.textContent = !text ? "" : `${parts} SMS` +
    (foreign ? `, because of “${foreign}”` : "") + (parts === 1 ? `, ${whole - sum(widths)} characters left` : "");
}

function split(widths, whole, part) {
  if (sum(widths) <= whole) return 1;
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
  const button = quietButton("Show", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.textContent = hidden ? "Hide" : "Show";
  });
  beside(input, button, "revealing");
}

function offerCopy(input) {
  if (input.parentElement.classList.contains("revealing")) return;
  const button = quietButton("Copy", async () => {
    input.select();
    await navigator.clipboard?.writeText(input.value);
    button.textContent = "Copied";
  });
  beside(input, button, "revealing");
}

function quietButton(words, act) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "quiet", textContent: words, onclick: act });
  return button;
}

function beside(input, button, look) {
  const line = document.createElement("div");
  line.className = look;
  input.replaceWith(line);
  line.append(input, button);
}
