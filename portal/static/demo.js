// Scrolls the phone of the demo to the newest text, and marks a hidden tab that has changed.
"use strict";

document.addEventListener("DOMContentLoaded", update);
document.addEventListener("htmx:afterSwap", update);

const seen = { thread: null, counter: null };

function update() {
  updatePane("thread", "phone");
  updatePane("counter", "desk");
}

function updatePane(id, pane) {
  const part = document.getElementById(id);
  const text = part.innerText;
  if (text === seen[id]) return;
  const texts = part.querySelector(".texts");
  if (texts) texts.scrollTop = texts.scrollHeight;
  if (seen[id] !== null) announce(pane);
  seen[id] = text;
}

function announce(pane) {
  const choice = document.querySelector(`.tabs [value="${pane}"]`);
  const label = choice.closest("label");
  if (choice.checked) return;
  label.classList.add("news");
  choice.addEventListener("change", () => label.classList.remove("news"), { once: true });
}
