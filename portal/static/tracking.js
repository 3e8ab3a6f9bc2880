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
  // A failure is told at "htmx:afterRequest"; the promise says nothing more.
  const refresh = () => htmx.ajax("GET", main().dataset.live.split("/live")[0], main())?.catch(() => {});

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
  const say = (state) => { connection.textContent = connection.dataset[state] ?? ""; };
  const showLost = () => {
    warning ??= setTimeout(() => say(navigator.onLine ? "lost" : "offline"), 2000);
  };
  const hideLost = () => {
    clearTimeout(warning);
    warning = undefined;
    const { lost, offline } = connection.dataset;
    if ([lost, offline].includes(connection.textContent)) say();
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
  addEventListener("online", () => { hideLost(); resume(); });
  addEventListener("offline", () => say("offline"));
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
    if (old.localName === "details") next.open = old.open;
    if (old.localName === "textarea") {
      for (const name of ["aria-describedby", "aria-invalid"]) {
        if (next.hasAttribute(name)) old.setAttribute(name, next.getAttribute(name));
        else old.removeAttribute(name);
      }
    }
    return old.localName !== "textarea" && (old.localName !== "input" || old.type === "hidden");
  };
  // New parts are highlighted for a moment and announced once. The scroll position is restored here:
  // the browser's scroll anchoring does not survive a morph, and not every browser has it.
  const ANNOUNCED = "h1, .who, .note, .next, .promise";
  const PARTS = `${ANNOUNCED}, .timeline > li, .lines > li`;
  const parts = (selector = PARTS) => [...document.querySelectorAll(selector)];
  const textOf = (part) => part.innerText.replace(/\s+/g, " ").trim();
  let knownTexts, focused, restoreScroll, afterUpdate; // afterUpdate: what to show after the visitor's own message
  const rememberPage = () => {
    focused = main().contains(document.activeElement) && document.activeElement;
    knownTexts = new Set(parts().map(textOf));
    const anchor = scrollY > 0 && parts(`h2, ${PARTS}`).find((part) => part.getBoundingClientRect().top >= 0);
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
    // Where the part with the focus has gone, the focus goes to the headline and not to nowhere.
    if (focused && document.activeElement === document.body) {
      document.getElementById("headline").focus({ preventScroll: true });
    }
    focused = undefined;
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
    // A disabled button would lose the focus; a second press is dropped all the same (hx-sync).
    const buttons = [...requestConfig.elt.querySelectorAll("button")];
    buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
    const timer = setTimeout(say, 700, "sending");
    xhr.addEventListener("loadend", () => {
      sending--;
      buttons.forEach((button) => button.removeAttribute("aria-disabled"));
      clearTimeout(timer);
      refreshIfIdle();
    });
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
    say(isAnswered ? "" : "failed");
    if (!isAccepted) return;
    if (elt.id === "ask") {
      afterUpdate = () => document.getElementById("headline").focus();
    } else {
      if (elt.id === "write") elt.elements.body.value = elt.elements.file.value = "";
      elt.querySelector(".clip")?.removeAttribute("open");
      afterUpdate = () => document.querySelector(".lines > :last-child")?.scrollIntoView({ block: "nearest" });
    }
  });
  // A browser that does not let the field grow with its text by a style.
  if (!CSS.supports("field-sizing", "content")) {
    document.addEventListener("input", ({ target }) => {
      if (target.localName !== "textarea") return;
      target.style.height = "auto";
      target.style.height = `${target.scrollHeight + 2}px`;
    });
  }
  // On paper everything is open.
  addEventListener("beforeprint", () => document.querySelectorAll("details.fold").forEach((fold) => { fold.open = true; }));
  // The link "Send a photo or a PDF" opens the folded field.
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.('a[href="#file"]')) return;
    document.querySelector(".clip").open = true;
  });

  openStream();
  scheduleExpiry();
})();
