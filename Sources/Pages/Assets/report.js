"use strict";
for (const browser of document.querySelectorAll(".browser")) {
  const slices = Array.from(browser.querySelectorAll(".slice"));
  const slider = browser.querySelector("input");
  const output = browser.querySelector("output");
  const show = (wanted) => {
    const index = Math.min(Math.max(wanted, 0), slices.length - 1);
    slices.forEach((slice, place) => { slice.hidden = place !== index; });
    slider.value = index;
    slider.setAttribute("aria-valuetext", slices[index].getAttribute("aria-label"));
    output.textContent = (index + 1) + " / " + slices.length;
  };
  const step = (by) => show(Number(slider.value) + by);
  slider.addEventListener("input", () => show(Number(slider.value)));
  for (const button of browser.querySelectorAll("button")) {
    button.addEventListener("click", () => step(Number(button.dataset.step)));
  }
  browser.querySelector(".slices").addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -1e9, End: 1e9 }[event.key];
    if (by === undefined) return;
    step(by);
    event.preventDefault();
  });
  browser.classList.add("live");
  browser.querySelector(".controls").hidden = slices.length === 1;
  show(Number(slider.value));
}
const tables = document.querySelectorAll(".scroll");
const mark = (table) => {
  const hidden = table.scrollWidth - table.clientWidth;
  table.classList.toggle("wide", hidden > 2);
  table.classList.toggle("end", table.scrollLeft > hidden - 2);
};
const sizes = new ResizeObserver((entries) => { for (const entry of entries) mark(entry.target); });
for (const table of tables) {
  sizes.observe(table);
  table.addEventListener("scroll", () => mark(table), { passive: true });
}
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = Array.from(document.querySelectorAll("details:not([open])"));
  for (const folded of opened) folded.open = true;
});
window.addEventListener("afterprint", () => {
  for (const folded of opened) folded.open = false;
});
