// Keeps an open status page true: listens for changes, draws the page anew when one comes, and
// says so. The page is whole without this file.
(() => {
  "use strict";
  Object.assign(htmx.config, {
    includeIndicatorStyles: false, allowEval: false, historyEnabled: false,
    responseHandling: [
      { code: "204", swap: false },
      { code: "[23]..", swap: true },
      { code: "4(09|13|15|22|29)", swap: true }, // a refusal stands on the page, in its own words
      { code: "...", swap: false, error: true },
    ],
  });
  // How whatever is asked for is drawn: said here, since the page must be small and is whole without it.
  const drawn = { ext: "morph", select: "#main", target: "#main", swap: "morph:outerHTML", sync: "this:queue last" };
  for (const name in drawn) document.body.setAttribute(`hx-${name}`, drawn[name]);
  document.documentElement.style.overflowAnchor = "none"; // see "drawing anew"
  const connection = document.getElementById("connection");
  const said = document.getElementById("said");
  const main = () => document.getElementById("main");
  const refresh = () => htmx.ajax("GET", main().dataset.live.split("/live")[0], main());

  // --- the stream: one for the tab that is looked at; a hidden one catches up when it is ----------
  let stream, retry, warning, owed, failures = 0;

  const listen = () => {
    hush();
    if (document.hidden) return;
    if (!window.EventSource) return miss();
    stream = new EventSource(main().dataset.live); // says from which event on, so nothing is missed
    retry = setTimeout(miss, 10000); // whoever holds streams back never lets one open
    stream.onopen = () => {
      clearTimeout(retry);
      failures = 0;
      if (!owed) found();
    };
    stream.addEventListener("timeline", refresh);
    stream.onerror = miss;
  };
  const hush = () => {
    clearTimeout(retry);
    stream?.close();
  };
  const miss = () => {
    hush();
    lost();
    // Where streams do not get through, the page itself may: then it is looked up now and then.
    if (failures++ > 1 || !window.EventSource) refresh();
    // By chance and ever later, so that all phones do not come back in the same second.
    retry = setTimeout(listen, Math.min(30000, 500 * 2 ** failures) * (0.5 + Math.random()));
  };
  const lost = () => {
    warning ??= setTimeout(() => { connection.textContent = connection.dataset.lost; }, 2000);
  };
  const found = () => {
    clearTimeout(warning);
    warning = undefined;
    if (connection.textContent === connection.dataset.lost) connection.textContent = "";
  };
  const wake = () => {
    if (document.hidden) return hush();
    if (owed || Date.now() >= Date.parse(main().dataset.validUntil)) refresh();
    failures = 0;
    listen();
  };
  document.addEventListener("visibilitychange", wake);
  addEventListener("pagehide", hush);
  addEventListener("pageshow", (event) => event.persisted && wake());
  addEventListener("online", wake);
  // A machine that slept is not told so, and its stream may be dead without a word.
  let tick = Date.now();
  setInterval(() => {
    if (Date.now() - tick > 60000) wake();
    tick = Date.now();
  }, 15000);

  // --- words that come true by themselves: "today" ends, a time passes ----------------------------
  let expiry;
  const expire = () => {
    clearTimeout(expiry);
    const left = Date.parse(main().dataset.validUntil) - Date.now();
    // Never more often than each minute, however wrong this clock may be.
    expiry = setTimeout(refresh, Math.max(left, 60000) + Math.random() * 4000);
  };

  // --- drawing anew -----------------------------------------------------------------------------
  // What the visitor typed is the visitor's: it is never drawn over.
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) => {
    if (old.localName === "details") return false;
    if (old.localName === "textarea") old.placeholder = fresh.placeholder;
    return old.localName !== "textarea" && (old.localName !== "input" || old.type === "hidden");
  };
  // What is new is seen for a moment and said once. What is looked at stays where it is: the browser's
  // own anchoring does not see through a morph, and not every browser has it.
  const TOLD = "h1, .who, .note, .next, .promise";
  const parts = (which = `${TOLD}, .timeline > li, .lines > li`) => [...document.querySelectorAll(which)];
  const words = (part) => part.textContent.replace(/\s+/g, " ").trim();
  let known, steady, arrive; // arrive: where to be after one's own words are on the page
  const remember = () => {
    known = new Set(parts().map(words));
    const seen = scrollY > 0 && parts().find((part) => part.getBoundingClientRect().top >= 0);
    const top = seen && seen.getBoundingClientRect().top;
    steady = () => seen && seen.isConnected && scrollBy(0, seen.getBoundingClientRect().top - top);
  };
  document.addEventListener("htmx:afterSwap", () => {
    steady?.();
    steady = undefined;
  });
  document.addEventListener("htmx:afterSettle", () => {
    expire();
    arrive?.();
    arrive = undefined;
    if (!known) return;
    const fresh = parts().filter((part) => !known.has(words(part)));
    known = undefined;
    fresh.forEach((part) => part.classList.add("fresh"));
    const told = fresh.filter((part) => part.matches(TOLD) && !part.closest(".way")).map(words);
    if (told.length) said.textContent = told.join(" · ");
  });

  // --- writing ----------------------------------------------------------------------------------
  // News waits while something is on its way to us: drawn now, it could take away the form that the
  // answer belongs to. It waits too while a thumb is on the glass, so that nothing moves under it.
  let sending = 0, touching = false, waiting = false;
  const goOn = () => {
    if (sending || touching || !waiting) return;
    waiting = false;
    refresh();
  };
  addEventListener("pointerdown", () => { touching = true; });
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, () => setTimeout(() => { touching = false; goOn(); }, 350)); // after the click
  }
  document.addEventListener("htmx:beforeSend", ({ detail: { requestConfig, xhr } }) => {
    if (requestConfig.verb !== "post") return;
    sending++;
    xhr.addEventListener("loadend", () => { sending--; goOn(); });
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.verb === "get" && (sending || touching)) {
      detail.shouldSwap = false;
      waiting = true;
    } else if (detail.shouldSwap) {
      remember();
    }
  });
  document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, xhr } }) => {
    const taken = xhr.status >= 200 && xhr.status < 400;
    if (requestConfig.verb === "get") {
      // The stream may be there while our database is not: then the news is owed until it can be had.
      clearTimeout(owed);
      owed = xhr.status && xhr.status < 500 ? undefined
        : setTimeout(() => document.hidden || refresh(), 15000 * (0.5 + Math.random()));
      if (owed) lost();
    }
    if (taken && !owed) found();
    const elt = requestConfig.elt; // by now it may have left the page
    if (elt.localName !== "form") return;
    const answered = taken || [409, 413, 415, 422, 429].includes(xhr.status);
    connection.textContent = answered ? "" : connection.dataset.failed;
    if (!taken) return;
    if (elt.id === "ask") {
      arrive = () => document.getElementById("headline").focus();
    } else {
      if (elt.id === "write") elt.elements.body.value = elt.elements.file.value = "";
      elt.querySelector(".clip")?.removeAttribute("open");
      arrive = () => document.querySelector(".lines > :last-child")?.scrollIntoView({ block: "nearest" });
    }
  });
  // "Send a photo or a PDF" leads to the field for it, which is folded up.
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.('a[href="#file"]')) return;
    document.querySelector(".clip").open = true;
  });

  listen();
  expire();
})();
