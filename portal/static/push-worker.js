// The service worker of one request's page: shows a notification, and opens the page when it is
// pressed. It stores nothing and answers no request of the page.
self.addEventListener("push", (event) => {
  const { title, body, tag, url } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: { url } }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data;
  event.waitUntil((async () => {
    const open = await self.clients.matchAll({ type: "window" });
    const page = open.find((client) => new URL(client.url).pathname === url);
    await (page ? page.focus() : self.clients.openWindow(url));
  })());
});
