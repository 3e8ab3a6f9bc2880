// Asks for notifications when the button is pressed, never before, and hands them to the server.
(() => {
  "use strict";
  const button = document.getElementById("push");
  if (!button || !("serviceWorker" in navigator) || !("PushManager" in window)) return;
  const { path, key, refused } = button.dataset;
  const said = document.getElementById("push-said");
  document.getElementById("push-hint").hidden = true;
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      if ((await Notification.requestPermission()) !== "granted") throw new Error("not granted");
      const worker = await navigator.serviceWorker.register(`${path}/push-worker.js`, { scope: path });
      while (!worker.active) await new Promise((resolve) => setTimeout(resolve, 100));
      const letters = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
      const applicationServerKey = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
      await (await worker.pushManager.getSubscription())?.unsubscribe();
      const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
      const { endpoint, keys } = made.toJSON();
      const body = new URLSearchParams({ endpoint, p256dh: keys.p256dh, auth: keys.auth });
      const answer = await fetch(`${path}/push`, { method: "POST", body, redirect: "manual" });
      if (!answer.ok) throw new Error("not taken");
      location.href = `${path}/preferences?saved`;
    } catch {
      said.textContent = refused;
      button.disabled = false;
    }
  });
})();
