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
  const connection = document.getElementById("connection");
  const said = document.getElementById("said");
  const main = () => document.getElementById("main");
  const headline = () => document.getElementById("headline").textContent.trim();
  const refresh = () => htmx.trigger(main(), "refresh");

  // --- the stream -------------------------------------------------------------------------------
  let stream, retry, warning, failures = 0;

  const listen = () => {
    hush();
    if (document.hidden) return;
    stream = new EventSource(main().dataset.live); // says from which event on, so nothing is missed
    stream.onopen = () => {
      failures = 0;
      if (!stale) found();
    };
    stream.addEventListener("timeline", refresh);
    stream.onerror = () => {
      hush();
      lost();
      // By chance and ever later, so that all phones do not come back in the same second.
      const pause = Math.min(30000, 500 * 2 ** failures++) * (0.5 + Math.random());
      retry = setTimeout(listen, pause);
    };
  };
  const lost = () => {
    warning ??= setTimeout(() => { connection.textContent = connection.dataset.lost; }, 2000);
  };
  const found = () => {
    clearTimeout(warning);
    warning = undefined;
    connection.textContent = "";
  };
  const hush = () => {
    clearTimeout(retry);
    stream?.close();
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return hush();
    if (stale || Date.now() >= Date.parse(main().dataset.validUntil)) refresh();
    listen();
  });
  addEventListener("pagehide", hush);
  addEventListener("pageshow", (event) => event.persisted && listen());
  addEventListener("online", listen);

  // --- words that come true by themselves: "today" ends, a time passes ----------------------------
  let expiry;
  const expire = () => {
    clearTimeout(expiry);
    const left = Date.parse(main().dataset.validUntil) - Date.now();
    // Never more often than each minute, however wrong this clock may be.
    expiry = setTimeout(refresh, Math.max(left, 60000) + Math.random() * 4000);
  };

  // --- news that cannot be had: the stream is there, but our database or the way to it is not --------
  let stale = false, again;
  document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, xhr } }) => {
    if (requestConfig.verb !== "get") return;
    clearTimeout(again);
    const wasStale = stale;
    stale = xhr.status === 0 || xhr.status >= 500;
    if (stale) {
      lost();
      again = setTimeout(() => document.hidden || refresh(), 15000 * (0.5 + Math.random()));
    } else if (wasStale) found();
  });

  // --- drawing anew -----------------------------------------------------------------------------
  // What the visitor typed is the visitor's: it is never drawn over.
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) => {
    if (old.localName === "details" && old.matches(".clip")) return false;
    if (old.localName !== "textarea") return true;
    old.placeholder = fresh.placeholder;
    return false;
  };
  let heard = headline();
  let arrive; // where to be after one's own words are on the page
  document.addEventListener("htmx:afterSettle", () => {
    expire();
    arrive?.();
    arrive = undefined;
    if (headline() === heard) return;
    heard = said.textContent = headline();
  });

  // --- writing ----------------------------------------------------------------------------------
  // While something is on its way to us, news waits: drawn now, it could take away the form that
  // the answer belongs to.
  let sending = 0, waiting = false;
  document.addEventListener("htmx:beforeSend", ({ detail: { requestConfig, xhr } }) => {
    if (requestConfig.verb !== "post") return;
    sending++;
    xhr.addEventListener("loadend", () => {
      if (--sending || !waiting) return;
      waiting = false;
      refresh();
    });
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.verb !== "get" || !sending) return;
    detail.shouldSwap = false;
    waiting = true;
  });
  document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, xhr } }) => {
    const elt = requestConfig.elt; // by now it may have left the page
    if (elt.localName !== "form") return;
    const taken = xhr.status >= 200 && xhr.status < 400;
    const answered = taken || [409, 413, 415, 422, 429].includes(xhr.status); // a refusal stands on the page, in its own words
    connection.textContent = answered ? "" : connection.dataset.failed;
    if (!taken) return;
    if (elt.id === "ask") {
      arrive = () => document.getElementById("headline").focus();
    } else {
      elt.elements.body.value = elt.elements.file.value = "";
      elt.querySelector(".clip").open = false;
      arrive = () => document.querySelector(".lines > :last-child")?.scrollIntoView({ block: "nearest" });
    }
  });

  listen();
  expire();
})();
