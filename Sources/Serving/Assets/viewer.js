// The viewer: one slice at a time with the masks of its passes, moved by keys, wheel, slider and finger.
import { announce, element } from "./dom.js";
import { drawCross, drawSlice } from "./drawing.js";
import { fillPasses } from "./result.js";
import { Slices } from "./slices.js";

const clamped = (value, low, high) => Math.min(Math.max(value, low), high);

export class Viewer {
  #slices = null;
  #result = null;
  #labels = [];
  #index = 0;
  #shown = null;
  #probe = null;
  #hasCross = false;
  #isQueued = false;
  #wheel = 0;
  #drag = null;
  #opacities = { outline: 100, fill: 45, none: 100 };
  #context = element("canvas").getContext("2d");
  #view = { passes: [0], style: "outline", heat: false, window: 255, level: 127.5, colors: [], isOn: [] };
  /** A count of redraws, for tests: the canvas has `data-drawn`. */
  #draws = 0;

  /** `onError` gets the error of a slice. */
  constructor(onError) {
    this.onError = onError;
    new ResizeObserver(() => this.#queue()).observe(element("picture"));
    window.addEventListener("resize", () => this.#queue());
    this.#listenToPicture();
    this.#listenToControls();
  }

  open(job, result, labels) {
    this.close();
    this.#result = result;
    this.#labels = labels;
    Object.assign(this.#view, { colors: labels.map((label) => label.color), isOn: labels.map(() => true) });
    this.#slices = new Slices(job, result, (index) => this.#arrived(index), (error) => this.#failed(error));
    fillPasses(result);
    element("slice").max = result.slices - 1;
    element("slice-row").hidden = result.slices === 1;
    element("heat").checked = false;
    element("grey-reset").click();
    this.#readControls();
    this.go(result.firstSlice);
  }

  close() {
    this.#slices?.close();
    [this.#slices, this.#result, this.#shown, this.#probe, this.#hasCross] = [null, null, null, null, false];
    this.#context.clearRect(0, 0, this.#context.canvas.width, this.#context.canvas.height);
    delete element("canvas").dataset.slice;
  }

  setClass(index, isOn) {
    this.#view.isOn[index] = isOn;
    this.#queue();
  }

  /** Shows a slice, counted from 0. */
  go(wanted) {
    if (!this.#result) return;
    this.#index = clamped(Math.round(wanted), 0, this.#result.slices - 1);
    const text = `${this.#index + 1} of ${this.#result.slices}`;
    element("slice").value = this.#index;
    element("slice").setAttribute("aria-valuetext", `slice ${text}`);
    element("slice-text").textContent = text;
    element("slice-back").disabled = this.#index === 0;
    element("slice-on").disabled = this.#index === this.#result.slices - 1;
    const slice = this.#slices.get(this.#index);
    element("slice-wait").hidden = slice !== undefined;
    if (slice) this.#show(slice);
  }

  #step(by) { this.go(this.#index + by); }

  #arrived(index) {
    if (index === this.#index) this.go(index);
  }

  #failed(error) {
    element("slice-wait").hidden = true;
    this.onError(error);
  }

  #show(slice) {
    this.#shown = { slice, index: this.#index };
    element("canvas").dataset.slice = this.#index;
    this.#queue();
    this.#describe();
    this.#read();
  }

  /** Words for those who do not see the picture. */
  #describe() {
    const map = this.#shown.slice.passes[this.#lastPass];
    const counts = new Uint32Array(256);
    for (const value of map) counts[value] += 1;
    const found = this.#labels.flatMap(({ name }, place) => counts[place + 1] ? [`${name} ${counts[place + 1]} pixels`] : []);
    const place = this.#result.slices > 1 ? `Slice ${this.#index + 1} of ${this.#result.slices}` : "Picture";
    const text = `${place}: ${found.length > 0 ? found.join(", ") : "no class"}.`;
    element("picture").setAttribute("aria-label", text);
    if (element("picture").matches(":focus")) announce(text);
  }

  get #lastPass() { return this.#view.passes[this.#view.passes.length - 1]; }

  // Drawing

  #queue() {
    if (this.#isQueued) return;
    this.#isQueued = true;
    requestAnimationFrame(() => { this.#isQueued = false; this.#draw(); });
  }

  #draw() {
    if (!this.#shown) return;
    const { width, height, pixel } = this.#result;
    const ratio = (height * pixel[1]) / (width * pixel[0]);
    const room = element("picture").clientWidth;
    if (room === 0) return;
    const shownWidth = Math.max(1, Math.min(room, Math.max(240, innerHeight * 0.72) / ratio));
    const canvas = this.#context.canvas;
    canvas.style.width = `${shownWidth}px`;
    canvas.style.height = `${shownWidth * ratio}px`;
    const scale = Math.min(window.devicePixelRatio || 1, 3);
    const [across, down] = [Math.round(shownWidth * scale), Math.max(1, Math.round(shownWidth * ratio * scale))];
    if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
    drawSlice(this.#context, this.#shown.slice, this.#result, { ...this.#view, scale });
    if (this.#probe && this.#hasCross) drawCross(this.#context, this.#result, this.#probe, scale);
    this.#draws += 1;
    canvas.dataset.drawn = this.#draws;
  }

  // The pixel under the pointer

  #read() {
    const parts = [];
    if (this.#probe && this.#shown) {
      const [x, y] = this.#probe;
      const place = y * this.#result.width + x;
      const { grey, passes, uncertainty } = this.#shown.slice;
      const name = (pass) => {
        const label = this.#labels[passes[pass][place] - 1];
        return label ? `${label.name} (value ${label.value})` : "background (value 0)";
      };
      parts.push(`x ${x}, y ${y}`);
      this.#result.passes.forEach(({ title }, pass) => parts.push(passes.length > 1 ? `${title}: ${name(pass)}` : name(pass)));
      if (this.#result.uncertainty !== null) parts.push(`uncertainty ${(uncertainty[place] / 255).toFixed(2)}`);
      parts.push(`${grey.length > 1 ? "colour" : "grey"} ${grey.map((plane) => plane[place]).join(", ")}`);
    }
    element("readout").textContent = parts.join(" · ") || "Point at the picture to read its class and uncertainty.";
  }

  #point(event, hasCross) {
    if (!this.#result) return;
    const box = element("canvas").getBoundingClientRect();
    const { width, height } = this.#result;
    const x = Math.floor((event.clientX - box.left) / box.width * width);
    const y = Math.floor((event.clientY - box.top) / box.height * height);
    const isInside = x >= 0 && x < width && y >= 0 && y < height;
    this.#setProbe(isInside ? [x, y] : null, hasCross);
  }

  #setProbe(probe, hasCross) {
    const hadCross = this.#hasCross;
    [this.#probe, this.#hasCross] = [probe, hasCross];
    if (hadCross || hasCross) this.#queue();
    this.#read();
  }

  // Pointer, wheel and keys

  #listenToPicture() {
    const picture = element("picture");
    picture.addEventListener("wheel", (event) => {
      // With Ctrl the browser zooms.
      if (event.ctrlKey || !this.#result || this.#result.slices === 1) return;
      event.preventDefault();
      this.#wheel += event.deltaY * (event.deltaMode === 0 ? 1 : 40);
      const steps = Math.trunc(this.#wheel / 40);
      if (steps === 0) return;
      this.#wheel = 0;
      this.#step(clamped(steps, -3, 3));
    }, { passive: false });
    picture.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") { this.#point(event, false); return; }
      if (!this.#drag) return;
      const moved = event.clientX - this.#drag.x;
      if (Math.abs(moved) > 8) this.#drag.isTap = false;
      // The whole width of the picture passes all slices, or at most one slice in 12 pixels.
      const pixels = Math.max(4, Math.min(12, picture.clientWidth / this.#result.slices));
      if (!this.#drag.isTap) this.go(this.#drag.index + moved / pixels);
    });
    picture.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" || !this.#result) return;
      this.#drag = { x: event.clientX, index: this.#index, isTap: true };
    });
    picture.addEventListener("pointerup", (event) => {
      if (this.#drag?.isTap) this.#point(event, true);
      this.#drag = null;
    });
    picture.addEventListener("pointercancel", () => { this.#drag = null; });
    picture.addEventListener("pointerleave", (event) => { 
      if (event.pointerType === "mouse" && !this.#hasCross) this.#setProbe(null, false);
    });
    for (const id of ["picture", "slice"]) element(id).addEventListener("keydown", (event) => this.#onMove(event, id));
    element("result").addEventListener("keydown", (event) => this.#onLetter(event));
  }

  #onMove(event, id) {
    if (!this.#result || event.ctrlKey || event.altKey || event.metaKey) return;
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const page = Math.max(2, Math.round(this.#result.slices / 10));
    const jump = { PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity }[event.key];
    if (direction && event.shiftKey && id === "picture") this.#moveProbe(direction);
    else if (direction) this.#step(direction[0] + direction[1]);
    else if (jump !== undefined) this.#step(jump);
    else return;
    event.preventDefault();
  }

  #moveProbe([right, down]) {
    const { width, height } = this.#result;
    const by = Math.max(1, Math.round(Math.max(width, height) / 100));
    const [x, y] = this.#probe ?? [width >> 1, height >> 1];
    this.#setProbe([clamped(x + right * by, 0, width - 1), clamped(y + down * by, 0, height - 1)], true);
    announce(element("readout").textContent);
  }

  #onLetter(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.#result) return;
    const key = event.key.toLowerCase();
    const input = {
      o: "[name=style][value=outline]", f: "[name=style][value=fill]", n: "[name=style][value=none]", u: "#heat",
      1: "[name=pass][value='0']", 2: "[name=pass][value='1']", 3: "[name=pass][value=both]",
    }[key];
    const control = input && element("viewer").querySelector(input);
    if (!control || control.disabled || control.closest("[hidden]")) return;
    event.preventDefault();
    control.click();
  }

  // Controls

  #listenToControls() {
    element("slice").addEventListener("input", (event) => this.go(Number(event.target.value)));
    element("slice-back").addEventListener("click", () => this.#step(-1));
    element("slice-on").addEventListener("click", () => this.#step(1));
    element("opacity").addEventListener("input", (event) => {
      this.#opacities[this.#view.style] = Number(event.target.value);
      this.#readControls();
    });
    element("viewer").addEventListener("change", () => this.#readControls());
    for (const id of ["window", "level"]) element(id).addEventListener("input", () => this.#readControls());
    element("grey-reset").addEventListener("click", () => {
      [element("window").value, element("level").value] = [255, 128];
      this.#readControls();
    });
  }

  #readControls() {
    if (!this.#result) return;
    const pass = document.querySelector("[name=pass]:checked").value;
    const passes = pass === "both" ? [0, 1] : [Number(pass)];
    const style = document.querySelector("[name=style]:checked").value;
    // Two fills would hide each other, so both passes are outlines.
    const fill = document.querySelector("[name=style][value=fill]");
    fill.disabled = pass === "both";
    const drawn = pass === "both" && style === "fill" ? "outline" : style;
    if (drawn !== style) document.querySelector("[name=style][value=outline]").checked = true;
    const [opacity, window, level] = [this.#opacities[drawn], ...["window", "level"].map((id) => Number(element(id).value))];
    Object.assign(this.#view, { passes, style: drawn, heat: element("heat").checked, opacity: opacity / 100, window, level });
    element("opacity").value = opacity;
    element("opacity").disabled = drawn === "none";
    element("opacity-text").textContent = `${opacity} %`;
    element("window-text").textContent = window;
    element("level-text").textContent = level;
    element("heat-scale").hidden = !this.#view.heat;
    this.#queue();
    if (this.#shown) this.#describe();
  }
}
