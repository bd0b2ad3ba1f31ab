// Small helpers for the page's elements, and what the page tells its user.

export const element = (id) => document.getElementById(id);

/** A new element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A patch of a class's colour. Set by script, since the page's policy allows no style in its markup. */
export function swatch(color) {
  const patch = make("span", { className: "swatch" });
  patch.style.backgroundColor = color;
  return patch;
}

/** Tells a sentence to screen readers. */
export function announce(text) {
  if (element("live").textContent !== text) element("live").textContent = text;
}

/** Shows a sentence as a "problem" or as a "message", in place of the earlier one; an empty one hides both. */
export function tell(id, text) {
  for (const other of ["problem", "message"]) {
    element(other).textContent = other === id ? text : "";
    element(other).hidden = other !== id || !text;
  }
  if (id === "problem" && text) element("problem").scrollIntoView({ block: "nearest" });
}
