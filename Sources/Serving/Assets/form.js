// The form: model, site, adaptation, and the files that the user drops or chooses.
import { announce, element, make, swatch, tell } from "./dom.js";
import { bytes, count, droppedFiles, faultOf, placed, total, useful } from "./files.js";

let server = null;
/** The chosen files; with several modalities one for each, undefined if missing. */
let files = [];

/** The chosen model. */
export const model = () => server.models[element("model").selectedIndex];

/** A model as the form needs it: a colour picture is one file with all of its channels. */
function inFiles(model) {
  const isColour = model.isPicture && model.modalities.join() === "red,green,blue";
  return isColour ? { ...model, modalities: ["colour"] } : model;
}

/** Fills the form with the models of a server. */
export function fillForm(ofServer) {
  server = { ...ofServer, models: ofServer.models.map(inFiles) };
  element("model").replaceChildren(...server.models.map(({ name }) => make("option", { textContent: name, value: name })));
  element("model-row").hidden = server.models.length === 1;
  fillModel();
}

/** Chooses the model of a name; false if there is none. */
export function selectModel(name) {
  const place = server.models.findIndex((model) => model.name === name);
  if (place < 0) return false;
  element("model").selectedIndex = place;
  fillModel();
  return true;
}

/** A sentence on files that are missing or wrong; empty if the form can be sent. */
export const faultOfChoice = () => faultOf(files, model(), server.limits);

/** The form for the server. */
export function formData() {
  const form = new FormData();
  form.append("model", model().name);
  if (element("site").value) form.append("site", element("site").value);
  form.append("adapt", element("adapt").checked ? "case" : "none");
  for (const file of files) form.append("files", file, file.name);
  return form;
}

/** Takes all files out of the form. */
export function clearFiles() {
  choose(model().modalities.length > 1 ? model().modalities.map(() => undefined) : []);
}

function fillModel() {
  const { name, summary, labels, sites, adapts, isPicture, modalities } = model();
  document.title = `DualNorm: segment a ${isPicture ? "picture" : "volume"}`;
  document.querySelector("h1").textContent = document.title;
  element("model-about").textContent = server.models.length > 1 ? summary : `Model ${name}: ${summary}`;
  element("model-labels").replaceChildren(...labels.map((label) => make("li", {}, swatch(label.color), label.name)));
  element("site-row").hidden = sites.length === 0;
  const siteOption = (site) => make("option", { value: site, textContent: site || "another site" });
  element("site").replaceChildren(...["", ...sites].map(siteOption));
  element("adapt-row").hidden = !adapts;
  element("adapt").checked = false;
  const isOneByOne = modalities.length > 1;
  const noun = isPicture ? "Picture" : "Volume";
  // A data set that names no modality has this one.
  const one = modalities[0] === "image" ? noun : `${noun} (${modalities[0]})`;
  element("drop-title").textContent = isOneByOne ? "One file for each modality" : one;
  element("again").textContent = `Segment another ${isPicture ? "picture" : "volume"}`;
  const limit = `At most ${bytes(server.limits.bytes)}`;
  element("drop-about").textContent = isOneByOne
    ? `Drop the files here, or choose them one by one. Check that each is in its place. ${limit}.`
    : isPicture ? `Drop a PNG, JPEG or TIFF here, or choose it. ${limit}.`
    : "Drop a NIfTI, NRRD or MetaImage file here, or all files or the folder of one DICOM series. "
      + `${limit} in ${count(server.limits.files, "file")}.`;
  element("pick-files").textContent = isPicture ? "Choose a picture …" : "Choose files …";
  element("pick-files").hidden = isOneByOne;
  element("pick-folder").hidden = isOneByOne || isPicture || !("webkitdirectory" in HTMLInputElement.prototype);
  element("files").accept = isPicture ? ".png,.jpg,.jpeg,.tif,.tiff" : "";
  clearFiles();
}

function choose(chosen) {
  files = chosen;
  const some = files.filter(Boolean);
  const isOneByOne = model().modalities.length > 1;
  element("clear-files").hidden = some.length === 0;
  element("slots").replaceChildren(...(isOneByOne ? model().modalities.map(slot) : []));
  const names = some.length === 1 ? some[0].name : `${count(some.length, "file")}, ${some[0]?.name} to ${some.at(-1)?.name}`;
  element("chosen").textContent = some.length === 0 || isOneByOne ? "" : `${names} (${bytes(total(some))})`;
  tell("problem", "");
}

/** A line with a modality, its button and its file. */
function slot(modality, place) {
  const input = make("input", { type: "file", hidden: true, className: "slot-file" });
  const button = make("button", { type: "button", textContent: "Choose …" });
  button.setAttribute("aria-label", `Choose the file of ${modality}`);
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files.length === 0) return;
    choose(files.map((file, other) => other === place ? input.files[0] : file));
    document.querySelectorAll("#slots button")[place].focus();
  });
  const file = files[place];
  const name = make("span", { className: "name", textContent: file ? `${file.name} (${bytes(file.size)})` : "no file yet" });
  return make("div", { className: "slot" }, make("b", { textContent: `${place + 1}. ${modality}` }), button, name, input);
}

function take(given) {
  const some = useful(given);
  if (some.length === 0) { tell("problem", "There is no file in this folder."); return; }
  const { modalities } = model();
  if (modalities.length > 1) {
    const isTooMany = some.length > modalities.length;
    choose(placed(some, modalities, some.length === modalities.length ? modalities.map(() => undefined) : files));
    const given = count(some.length, "file");
    if (isTooMany) tell("problem", `These are ${given}, but the model takes ${modalities.length}. Check the places.`);
  } else {
    choose(some);
  }
  const fault = faultOfChoice();
  if (fault && modalities.length === 1) tell("problem", fault);
  else announce(element("chosen").textContent || "Files are in their places.");
}

/** Listens to the form's buttons and to drops anywhere on the page. */
export function listenToForm() {
  element("model").addEventListener("change", fillModel);
  element("pick-files").addEventListener("click", () => element("files").click());
  element("pick-folder").addEventListener("click", () => element("folder").click());
  element("clear-files").addEventListener("click", () => {
    clearFiles();
    (document.querySelector("#slots button") ?? element("pick-files")).focus();
  });
  for (const id of ["files", "folder"]) {
    element(id).addEventListener("change", (event) => {
      const given = Array.from(event.target.files);
      event.target.value = "";
      if (given.length > 0) take(given);
    });
  }
  // A drop beside the frame counts, too; the browser would open the file otherwise.
  let depth = 0;
  const mark = (by) => { depth = Math.max(0, depth + by); element("drop").classList.toggle("over", depth > 0); };
  addEventListener("dragenter", (event) => { event.preventDefault(); mark(1); });
  addEventListener("dragleave", () => mark(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    mark(-depth);
    if (element("upload-form").hidden) return;
    try {
      const given = await droppedFiles(event.dataTransfer);
      if (given.length > 0) take(given);
    } catch {
      tell("problem", "The browser could not read the folder. Use the button instead.");
    }
  });
}
