// The words and numbers of a result: warnings, volumes of the classes, uncertainty and downloads.
import { element, make, swatch } from "./dom.js";
import { count } from "./files.js";
import { hasToken, save } from "./requests.js";

/**
 * Fills the result's section. `onClass` gets a class's place and whether it shows; `onError` gets the error of a download.
 */
export function fillResult(result, model, onClass, onError) {
  const { slices, width, height, warnings, uncertainty } = result;
  const size = slices > 1 ? `${width} × ${height} pixels, ${slices} slices` : `${width} × ${height} pixels`;
  element("result-about").textContent = `Model ${model.name}; ${size}.`;
  element("grey-title").textContent = result.channels > 1 ? "Brightness" : "Grey";
  element("warnings").replaceChildren(...warnings.map((text) => make("li", { textContent: text })));
  element("warnings").hidden = warnings.length === 0;
  element("uncertainty").textContent = uncertainty === null ? ""
    : `Of the case: ${uncertainty.toFixed(2)}. The scale goes from 0, sure, to 1, a guess between all classes.`;
  fillVolumes(result, model.labels, onClass);
  fillDownloads(result.downloads, onError);
}

function fillVolumes({ passes, unit }, labels, onClass) {
  element("volumes-title").textContent = unit === "mL" ? "Volumes" : "Areas";
  const titles = passes.map(({ title }) => passes.length > 1 ? `${title}, ${unit}` : unit);
  const head = make("tr", {}, ...["Class", "Value", ...titles].map((textContent) => make("th", { scope: "col", textContent })));
  const rows = labels.map((label, place) => {
    const input = make("input", { type: "checkbox", checked: true, className: "class" });
    input.dataset.value = label.value;
    input.addEventListener("change", () => onClass(place, input.checked));
    const name = make("th", { scope: "row" }, make("label", { className: "check" }, input, swatch(label.color), label.name));
    const amounts = passes.map(({ volumes }) => {
      const volume = volumes.find(({ value }) => value === label.value);
      if (!volume) return make("td", { textContent: "–" });
      return make("td", { textContent: amountText(volume, unit), title: count(volume.voxels, "voxel") });
    });
    return make("tr", {}, name, make("td", { textContent: label.value }), ...amounts);
  });
  element("volumes").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  element("all-row").hidden = labels.length < 3;
}

function amountText({ amount }, unit) {
  const digits = unit === "pixels" ? 0 : Math.abs(amount) < 1 ? 3 : Math.abs(amount) < 100 ? 2 : 1;
  return amount.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Shows or hides all classes. */
export function tickAll(isOn) {
  for (const input of document.querySelectorAll("#volumes input.class")) if (input.checked !== isOn) input.click();
}

function fillDownloads(downloads, onError) {
  element("downloads").replaceChildren(...downloads.map(({ title, name, path }) => {
    const link = make("a", { href: path, download: name, textContent: title });
    link.dataset.name = name;
    // A link cannot carry the token, so such files come through a request.
    if (hasToken()) link.addEventListener("click", (event) => { event.preventDefault(); save(path, name).catch(onError); });
    return make("li", {}, link);
  }));
}

/** Fills the choice of passes, the last one chosen. */
export function fillPasses({ passes, uncertainty }) {
  const choices = passes.map(({ title }, place) => [String(place), title, String(place + 1)]);
  if (passes.length === 2) choices.push(["both", "both outlines (first dashed)", "3"]);
  const labels = choices.map(([value, title, key]) => {
    const input = make("input", { type: "radio", name: "pass", value, checked: value === String(passes.length - 1) });
    input.setAttribute("aria-keyshortcuts", key);
    return make("label", { className: "check" }, input, ` ${title}`);
  });
  element("passes").replaceChildren(element("passes").querySelector("legend"), ...labels);
  element("passes").hidden = passes.length === 1;
  element("heat-row").hidden = uncertainty === null;
}
