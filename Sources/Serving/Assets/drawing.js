// Draws a slice: grey values, uncertainty, filled classes and outlines.
import { classesIn, loopsOf } from "./outline.js";

/** Red, green and blue of `#rrggbb`. */
export const rgb = (color) => [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));

/** Colours of uncertainty from none to the greatest, over the picture. */
const heat = [[255, 220, 80], [255, 130, 40], [220, 30, 90]];

/** Fills a canvas of the slice's own size, pixel by pixel. */
function painted(canvas, width, height, paint) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  paint(new Uint32Array(image.data.buffer), image.data);
  context.putImageData(image, 0, 0);
  return canvas;
}

const packed = (red, green, blue, alpha) => (alpha << 24 | blue << 16 | green << 8 | red) >>> 0;
const scratch = document.createElement("canvas");

/** Draws a slice over the whole canvas of `context`; `view` says how. */
export function drawSlice(context, slice, size, view) {
  const { width, height } = size;
  const canvas = context.canvas;
  const place = [0, 0, canvas.width, canvas.height];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalAlpha = 1;
  context.imageSmoothingEnabled = true;
  context.drawImage(painted(scratch, width, height, (pixels) => paintGrey(pixels, slice.grey, view)), ...place);
  context.imageSmoothingEnabled = false;
  if (view.heat) context.drawImage(painted(scratch, width, height, (pixels) => paintHeat(pixels, slice.uncertainty)), ...place);
  context.globalAlpha = view.opacity;
  if (view.style === "fill") {
    const map = slice.passes[view.passes[0]];
    context.drawImage(painted(scratch, width, height, (pixels) => paintClasses(pixels, map, view)), ...place);
  } else if (view.style === "outline") {
    // Dashes are wider and lie below, so that they show where both passes agree.
    const isBoth = view.passes.length > 1;
    for (const pass of view.passes) drawOutlines(context, slice, pass, size, view, isBoth && pass === 0);
  }
  context.globalAlpha = 1;
}

function paintGrey(pixels, planes, { window, level }) {
  const shown = new Uint8ClampedArray(256);
  for (let value = 0; value < 256; value += 1) shown[value] = (value - level) / window * 255 + 127.5;
  const [red, green, blue] = planes.length === 3 ? planes : [planes[0], planes[0], planes[0]];
  for (let pixel = 0; pixel < pixels.length; pixel += 1) {
    pixels[pixel] = packed(shown[red[pixel]], shown[green[pixel]], shown[blue[pixel]], 255);
  }
}

function paintHeat(pixels, uncertainty) {
  const colors = Array.from({ length: 256 }, (_, value) => {
    const share = value / 255 * (heat.length - 1);
    const below = Math.min(Math.floor(share), heat.length - 2);
    const [from, to] = [heat[below], heat[below + 1]];
    const color = from.map((part, place) => Math.round(part + (to[place] - part) * (share - below)));
    return packed(...color, Math.round(225 * Math.min(1, value / 100)));
  });
  for (let pixel = 0; pixel < pixels.length; pixel += 1) pixels[pixel] = colors[uncertainty[pixel]];
}

function paintClasses(pixels, map, { colors, isOn }) {
  const packedColors = [0, ...colors.map((color, place) => isOn[place] ? packed(...rgb(color), 255) : 0)];
  for (let pixel = 0; pixel < pixels.length; pixel += 1) pixels[pixel] = packedColors[map[pixel]] ?? 0;
}

function drawOutlines(context, slice, pass, { width, height }, { colors, isOn, scale }, isDashed) {
  if (!slice.paths.has(pass)) slice.paths.set(pass, pathsOf(slice.passes[pass], width, height));
  const [x, y] = [context.canvas.width / width, context.canvas.height / height];
  context.lineJoin = "round";
  for (const [label, path] of slice.paths.get(pass)) {
    if (!isOn[label - 1]) continue;
    const line = new Path2D();
    line.addPath(path, new DOMMatrix([x, 0, 0, y, 0, 0]));
    // A dark line below keeps the colour apart from bright tissue and from other classes.
    context.setLineDash([]);
    context.strokeStyle = "rgb(0 0 0 / 0.6)";
    context.lineWidth = (isDashed ? 5.4 : 3.8) * scale;
    context.stroke(line);
    if (isDashed) context.setLineDash([9 * scale, 7 * scale]);
    context.strokeStyle = colors[label - 1];
    context.lineWidth = (isDashed ? 4.6 : 2.2) * scale;
    context.stroke(line);
  }
  context.setLineDash([]);
}

function pathsOf(map, width, height) {
  return classesIn(map).map((label) => {
    const path = new Path2D();
    for (const loop of loopsOf(map, width, height, label)) {
      for (let place = 0; place < loop.length; place += 2) {
        if (place === 0) path.moveTo(loop[0], loop[1]); else path.lineTo(loop[place], loop[place + 1]);
      }
      path.closePath();
    }
    return [label, path];
  });
}

/** Draws a cross at a pixel, for pointers that are moved by keys or fingers. */
export function drawCross(context, { width, height }, [column, row], scale) {
  const [x, y] = [(column + 0.5) * context.canvas.width / width, (row + 0.5) * context.canvas.height / height];
  for (const [color, thickness] of [["#000000", 3.5], ["#ffffff", 1.5]]) {
    context.strokeStyle = color;
    context.lineWidth = thickness * scale;
    context.beginPath();
    for (const [u, v] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * u * scale, y + 4 * v * scale);
      context.lineTo(x + 11 * u * scale, y + 11 * v * scale);
    }
    context.stroke();
  }
}
