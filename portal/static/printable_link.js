// Shows the print button; without this file the browser's own menu prints.
const print = document.getElementById("print");
print.hidden = false;
print.addEventListener("click", () => window.print());
