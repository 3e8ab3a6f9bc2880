// The demonstration's phone shows the newest text, and a tab that is not shown says that it has news.
"use strict";

document.addEventListener("DOMContentLoaded", settle);
document.addEventListener("htmx:afterSwap", settle);

const seen = { thread: null, counter: null };

function settle() {
  note("thread", "phone");
  note("counter", "desk");
}

function note(id, pane) {
  const part = document.getElementById(id);
  const now = part.innerText;
  if (now === seen[id]) return;
  const texts = part.querySelector(".texts");
  if (texts) texts.scrollTop = texts.scrollHeight;
  if (seen[id] !== null) announce(pane);
  seen[id] = now;
}

function announce(pane) {
  const choice = document.querySelector(`.tabs [value="${pane}"]`);
  const label = choice.closest("label");
  if (choice.checked) return;
  label.classList.add("news");
  choice.addEventListener("change", () => label.classList.remove("news"), { once: true });
}
