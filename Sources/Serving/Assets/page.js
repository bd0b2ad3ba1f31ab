// The page's states: models, token, form, upload, waiting, result. `data-state` of <body> names the state.
import { announce, element, tell } from "./dom.js";
import { bytes, count, duration } from "./files.js";
import { clearFiles, faultOfChoice, fillForm, formData, listenToForm, model, selectModel } from "./form.js";
import { hasToken, send, setToken, upload } from "./requests.js";
import { fillResult, tickAll } from "./result.js";
import { Viewer } from "./viewer.js";

const visible = {
  loading: ["loading"], token: ["token-form"], unreachable: ["reload"], ready: ["upload-form"], uploading: ["progress"],
  waiting: ["progress"], reading: ["progress"], segmenting: ["progress"], done: ["result"], failed: ["upload-form"],
};
let job = null;
/** A way to stop what runs: the upload, or else the server's work. */
let stopUpload = null;

const viewer = new Viewer(onSliceError);

function setState(state) {
  document.body.dataset.state = state;
  for (const id of new Set(Object.values(visible).flat())) element(id).hidden = !visible[state].includes(id);
}

// Models and token

async function loadModels() {
  setState("loading");
  try {
    fillServer(await (await send("/page/models")).json());
  } catch (error) {
    if (error.status === 401) askForToken();
    else { setState("unreachable"); tell("problem", error.message); }
    return;
  }
  tell("problem", "");
  setState("ready");
  await resume();
}

function askForToken() {
  setState("token");
  if (hasToken()) tell("problem", "The server refuses this token. Check it and enter it again.");
  setToken("");
  for (const note of document.querySelectorAll(".token-note")) note.hidden = false;
  element("token").value = "";
  element("token").focus();
}

function fillServer(server) {
  element("program").textContent = server.program;
  element("keeps").textContent = `The server forgets an upload and its results ${count(server.keepsMinutes, "minute")} after their last use.`;
  element("slicer-models").textContent = server.models.map(({ name }) => name).join(", ");
  fillForm(server);
}

// Upload and progress

async function start() {
  const fault = faultOfChoice();
  tell("problem", fault);
  if (fault) return;
  setState("uploading");
  showProgress("Upload", 0, "The upload begins.");
  element("cancel").focus();
  const sending = upload("/page/jobs", formData(), (sent, all, rate) => {
    const left = rate > 0 ? `, ${bytes(rate)} a second, ${duration((all - sent) / rate)} left` : "";
    if (sent < all) showProgress("Upload", sent / all, `${bytes(sent)} of ${bytes(all)}${left}`);
    else showProgress("Upload", undefined, "All files are sent. The server takes them in.");
  });
  stopUpload = sending.cancel;
  try {
    const { id } = await sending.done;
    stopUpload = null;
    job = id;
    remember({ id, model: model().name });
    await follow();
  } catch (error) {
    stopUpload = null;
    if (error.name === "AbortError") backToForm("message", "You cancelled the upload.");
    else if (error.status === 401) askForToken();
    else backToForm("problem", error.message + (error.retryAfter ? ` Try again in ${duration(error.retryAfter)}.` : ""));
  }
}

let spokenAt = 0;

/** Shows how far the work is; `share` undefined means unknown. */
function showProgress(title, share, text) {
  const isNew = element("progress-title").textContent !== title;
  element("progress-title").textContent = title;
  if (share === undefined) element("bar").removeAttribute("value"); else element("bar").value = share;
  element("progress-text").textContent = text;
  // Screen readers hear a change of the stage at once, and numbers every five seconds.
  if (!isNew && performance.now() - spokenAt < 5000) return;
  spokenAt = performance.now();
  announce(`${title}: ${text}`);
}

/** Asks for the job's state until it ends, less often with time. */
async function follow() {
  const id = job;
  for (let pause = 300; job === id; pause = Math.min(pause * 1.25, 2000)) {
    let status;
    try {
      status = await (await send(`/page/jobs/${id}`)).json();
    } catch (error) {
      if (job !== id) return;
      if (error.status === 401) { askForToken(); return; }
      if (error.status === 404) { backToForm("problem", "The server no longer has this volume. Upload it again."); return; }
      showProgress("Waiting for the server", undefined, `${error.message} The page asks again.`);
      pause = 2000;
    }
    if (job !== id) return;
    if (status?.state === "done") { showResult(status.result); return; }
    if (status?.state === "failed") { fail(status.detail); return; }
    if (status) showStatus(status);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function showStatus({ state, place, share, secondsLeft }) {
  setState(state);
  if (state === "waiting") {
    showProgress("Queue", undefined, place > 0 ? `Place ${place} in the queue.` : "The volume waits for its turn.");
  } else if (state === "reading") {
    showProgress("Reading", undefined, "The server reads the files.");
  } else {
    const left = typeof secondsLeft === "number" ? `, ${duration(secondsLeft)} left` : "";
    const isKnown = typeof share === "number";
    showProgress("Segmenting", isKnown ? share : undefined, isKnown ? `${Math.round(share * 100)} %${left}` : "The model runs.");
  }
}

function fail(detail) {
  send(`/page/jobs/${job}`, { method: "DELETE" }).catch(() => {});
  backToForm("problem", detail || "The server could not segment this volume.");
  document.body.dataset.state = "failed";
}

function backToForm(id, text) {
  job = null;
  remember(null);
  viewer.close();
  setState("ready");
  tell(id, text);
  element("start").focus({ preventScroll: id === "problem" });
  if (id === "message") announce(text);
}

// Result

function showResult(result) {
  setState("done");
  announce("The result is there.");
  fillResult(result, model(), (place, isOn) => viewer.setClass(place, isOn), onDownloadError);
  viewer.open(job, result, model().labels);
  element("result-title").focus();
}

function onSliceError(error) {
  if (error.status === 401) askForToken();
  else if (error.status === 404) backToForm("problem", "The server has forgotten this volume. Upload it again.");
  else tell("problem", `The slice did not come. ${error.message}`);
}

function onDownloadError(error) {
  if (error.status === 401) askForToken();
  else tell("problem", `The file did not come. ${error.message}`);
}

/** Removes the job's data from the server and returns to the form. */
async function remove(text) {
  const id = job;
  // The page stops asking for the job before the server forgets it.
  job = null;
  try {
    await send(`/page/jobs/${id}`, { method: "DELETE" });
  } catch (error) {
    if (error.status !== 404) {
      job = id;
      tell("problem", `The data are still on the server. ${error.message}`);
      if (document.body.dataset.state !== "done") follow();
      return;
    }
  }
  if (document.body.dataset.state === "done") clearFiles();
  backToForm("message", text);
}

/** Keeps the job through a reload of this tab; the number alone opens it if the server has no token. */
function remember(kept) {
  try {
    if (kept) sessionStorage.setItem("dualnorm-job", JSON.stringify(kept));
    else sessionStorage.removeItem("dualnorm-job");
  } catch { /* Without storage a reload begins anew. */ }
}

async function resume() {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem("dualnorm-job")); } catch { /* as if there were none */ }
  if (!/^[0-9a-f]{32}$/.test(kept?.id) || !selectModel(kept.model)) return;
  job = kept.id;
  setState("waiting");
  showProgress("Queue", undefined, "Asking the server for your volume.");
  await follow();
}

function listen() {
  listenToForm();
  element("reload").addEventListener("click", loadModels);
  element("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    setToken(element("token").value.trim());
    element("token").value = "";
    loadModels();
  });
  element("upload-form").addEventListener("submit", (event) => { event.preventDefault(); start(); });
  element("cancel").addEventListener("click", () => {
    if (stopUpload) stopUpload(); else remove("You cancelled. The server removed the volume.");
  });
  element("remove").addEventListener("click", () => remove("The server removed the upload and its results."));
  element("again").addEventListener("click", () => remove("The server removed the last upload. Choose another one."));
  element("all-on").addEventListener("click", () => tickAll(true));
  element("all-off").addEventListener("click", () => tickAll(false));
  for (const place of document.querySelectorAll(".origin")) place.textContent = location.origin;
}

listen();
loadModels();
