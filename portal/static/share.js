// Shows the button that hands the link to the phone's own share sheet, or copies it.
const share = document.getElementById("share");
if (share) {
  const link = document.getElementById("link");
  const said = document.getElementById("shared");
  share.hidden = !(navigator.share || navigator.clipboard);
  link.addEventListener("focus", () => link.select());
  share.addEventListener("click", async () => {
    try {
      if (navigator.share) {
        await navigator.share({ title: share.dataset.title, url: link.value });
      } else {
        await navigator.clipboard.writeText(link.value);
        said.textContent = share.dataset.copied;
      }
    } catch {
      link.focus(); // The customer closed the sheet, or the browser refused: the field can be copied.
    }
  });
}
