// Keeps an open status page current: listens for changes, refreshes the page and announces what is
// new. The page is complete without this file.
(() => {
  "use strict";
  Object.assign(htmx.config, {
    includeIndicatorStyles: false, allowEval: false, historyEnabled: false,
    responseHandling: [
      { code: "204", swap: false },
      { code: "[23]..", swap: true },
      { code: "4(09|13|15|22|29)", swap: true }, // the response is the page with the refusal
      { code: "...", swap: false, error: true },
    ],
  });
  // How responses are swapped in: set here, to keep the page small; it is complete without htmx.
  const swapOptions = { ext: "morph", select: "#main", target: "#main", swap: "morph:outerHTML", sync: "this:queue last" };
  for (const name in swapOptions) document.body.setAttribute(`hx-${name}`, swapOptions[name]);
  document.documentElement.style.overflowAnchor = "none"; // see "refreshing"
  const connection = document.getElementById("connection");
  const announcement = document.getElementById("said");
  const main = () => document.getElementById("main");
  const refresh = () => htmx.ajax("GET", main().dataset.live.split("/live")[0], main());

  // --- the event stream: for a visible tab only; a hidden one refreshes when it is shown -----------
  let stream, retry, warning, refreshRetry, failures = 0;

  const openStream = () => {
    closeStream();
    if (document.hidden) return;
    if (!window.EventSource) return onStreamError();
    stream = new EventSource(main().dataset.live); // the URL has the last event, so none is missed
    retry = setTimeout(onStreamError, 10000); // a proxy that buffers streams never opens one
    stream.onopen = () => {
      clearTimeout(retry);
      failures = 0;
      if (!refreshRetry) hideLost();
    };
    stream.addEventListener("timeline", refresh);
    stream.onerror = onStreamError;
  };
  const closeStream = () => {
    clearTimeout(retry);
    stream?.close();
  };
  const onStreamError = () => {
    closeStream();
    showLost();
    // Where a stream is blocked, the page may still load: it is then refreshed at intervals.
    if (failures++ > 1 || !window.EventSource) refresh();
    // With growing random delays, so that browsers do not all reconnect in the same second.
    retry = setTimeout(openStream, Math.min(30000, 500 * 2 ** failures) * (0.5 + Math.random()));
  };
  const showLost = () => {
    warning ??= setTimeout(() => { connection.textContent = connection.dataset.lost; }, 2000);
  };
  const hideLost = () => {
    clearTimeout(warning);
    warning = undefined;
    if (connection.textContent === connection.dataset.lost) connection.textContent = "";
  };
  const resume = () => {
    if (document.hidden) return closeStream();
    if (refreshRetry || Date.now() >= Date.parse(main().dataset.validUntil)) refresh();
    failures = 0;
    openStream();
  };
  document.addEventListener("visibilitychange", resume);
  addEventListener("pagehide", closeStream);
  addEventListener("pageshow", (event) => event.persisted && resume());
  addEventListener("online", resume);
  // After sleep no event is fired, and the stream may be dead without an error.
  let lastTick = Date.now();
  setInterval(() => {
    if (Date.now() - lastTick > 60000) resume();
    lastTick = Date.now();
  }, 15000);

  // --- expiry: texts that change with time, such as "today" ----------------------------------------
  let expiryTimer;
  const scheduleExpiry = () => {
    clearTimeout(expiryTimer);
    const remaining = Date.parse(main().dataset.validUntil) - Date.now();
    // At most once a minute, even if this clock is wrong.
    expiryTimer = setTimeout(refresh, Math.max(remaining, 60000) + Math.random() * 4000);
  };

  // --- refreshing -------------------------------------------------------------------------------
  // Input of the visitor is never overwritten.
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, next) => {
    if (old.localName === "details") return false;
    if (old.localName === "textarea") old.placeholder = next.placeholder;
    return old.localName !== "textarea" && (old.localName !== "input" || old.type === "hidden");
  };
  // New parts are highlighted for a moment and announced once. The scroll position is restored here:
  // the browser's scroll anchoring does not survive a morph, and not every browser has it.
  const ANNOUNCED = "h1, .who, .note, .next, .promise";
  const parts = (selector = `${ANNOUNCED}, .timeline > li, .lines > li`) => [...document.querySelectorAll(selector)];
  const textOf = (part) => part.textContent.replace(/\s+/g, " ").trim();
  let knownTexts, restoreScroll, afterUpdate; // afterUpdate: what to show after the visitor's own message
  const rememberPage = () => {
    knownTexts = new Set(parts().map(textOf));
    const anchor = scrollY > 0 && parts().find((part) => part.getBoundingClientRect().top >= 0);
    const top = anchor && anchor.getBoundingClientRect().top;
    restoreScroll = () => anchor && anchor.isConnected && scrollBy(0, anchor.getBoundingClientRect().top - top);
  };
  document.addEventListener("htmx:afterSwap", () => {
    restoreScroll?.();
    restoreScroll = undefined;
  });
  document.addEventListener("htmx:afterSettle", () => {
    scheduleExpiry();
    afterUpdate?.();
    afterUpdate = undefined;
    if (!knownTexts) return;
    const added = parts().filter((part) => !knownTexts.has(textOf(part)));
    knownTexts = undefined;
    added.forEach((part) => part.classList.add("fresh"));
    const announced = added.filter((part) => part.matches(ANNOUNCED) && !part.closest(".way")).map(textOf);
    if (announced.length) announcement.textContent = announced.join(" · ");
  });

  // --- writing ----------------------------------------------------------------------------------
  // A refresh is delayed while a form is being sent: it could replace the form that the response
  // belongs to. It is delayed while the screen is touched, too, so that nothing moves under a finger.
  let sending = 0, touching = false, refreshPending = false;
  const refreshIfIdle = () => {
    if (sending || touching || !refreshPending) return;
    refreshPending = false;
    refresh();
  };
  addEventListener("pointerdown", () => { touching = true; });
  for (const eventName of ["pointerup", "pointercancel"]) {
    addEventListener(eventName, () => setTimeout(() => { touching = false; refreshIfIdle(); }, 350)); // after the click
  }
  document.addEventListener("htmx:beforeSend", ({ detail: { requestConfig, xhr } }) => {
    if (requestConfig.verb !== "post") return;
    sending++;
    xhr.addEventListener("loadend", () => { sending--; refreshIfIdle(); });
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.verb === "get" && (sending || touching)) {
      detail.shouldSwap = false;
      refreshPending = true;
    } else if (detail.shouldSwap) {
      rememberPage();
    }
  });
  document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, xhr } }) => {
    const isAccepted = xhr.status >= 200 && xhr.status < 400;
    if (requestConfig.verb === "get") {
      // The stream may be open while the database is down: the refresh is then repeated.
      clearTimeout(refreshRetry);
      refreshRetry = xhr.status && xhr.status < 500 ? undefined
        : setTimeout(() => document.hidden || refresh(), 15000 * (0.5 + Math.random()));
      if (refreshRetry) showLost();
    }
    if (isAccepted && !refreshRetry) hideLost();
    const elt = requestConfig.elt; // it may have been removed from the page
    if (elt.localName !== "form") return;
    const isAnswered = isAccepted || [409, 413, 415, 422, 429].includes(xhr.status);
    connection.textContent = isAnswered ? "" : connection.dataset.failed;
    if (!isAccepted) return;
    if (elt.id === "ask") {
      afterUpdate = () => document.getElementById("headline").focus();
    } else {
      if (elt.id === "write") elt.elements.body.value = elt.elements.file.value = "";
      elt.querySelector(".clip")?.removeAttribute("open");
      afterUpdate = () => document.querySelector(".lines > :last-child")?.scrollIntoView({ block: "nearest" });
    }
  });
  // The link "Send a photo or a PDF" opens the folded field.
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.('a[href="#file"]')) return;
    document.querySelector(".clip").open = true;
  });

  openStream();
  scheduleExpiry();
})();
