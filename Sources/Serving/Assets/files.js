// The files that the user drops or chooses, and what is wrong with them.

/** All files of a drop, also those in folders. */
export async function droppedFiles(transfer) {
  // The entries are gone after the first await.
  const entries = Array.from(transfer.items ?? [], (item) => item.kind === "file" ? item.webkitGetAsEntry?.() : null);
  const plain = Array.from(transfer.files);
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  const found = [];
  for (const entry of entries) if (entry) await collect(entry, found);
  return found;
}

async function collect(entry, found) {
  if (entry.isFile) {
    found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a part of a folder at a time, and an empty part at the end.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return;
    for (const child of part) await collect(child, found);
  }
}

/** Files without those that systems and DICOM media add, in the order of their names. */
export function useful(files) {
  const added = /^(\..*|thumbs\.db|desktop\.ini|dicomdir|__macosx)$/i;
  const byName = new Intl.Collator("en", { numeric: true });
  return files.filter((file) => !added.test(file.name)).sort((a, b) => byName.compare(a.name, b.name));
}

const wholeVolume = /\.(nii|nii\.gz|nrrd|mha)$/i;
const picture = /\.(png|jpe?g|tiff?)$/i;

/** A sentence on files that the server would refuse; empty if there is none. */
export function faultOf(files, model, limits) {
  const some = files.filter(Boolean);
  const empty = some.find((file) => file.size === 0);
  if (some.length === 0) return model.isPicture ? "Choose a picture first." : "Choose a volume first.";
  if (empty) return `The file ${empty.name} is empty. Copy it again from its source.`;
  if (some.length > limits.files) {
    return `These are ${count(some.length, "file")}. The server takes at most ${count(limits.files, "file")}.`;
  }
  if (total(some) > limits.bytes) {
    return `These files have ${bytes(total(some))}. The server takes at most ${bytes(limits.bytes)}.`;
  }
  const wrong = some.find((file) => model.isPicture ? wholeVolume.test(file.name) : picture.test(file.name));
  if (wrong && model.isPicture) return `${wrong.name} is a volume. This model takes pictures: PNG, JPEG or TIFF.`;
  if (wrong) return `${wrong.name} is a picture. This model takes volumes: NIfTI, NRRD, MetaImage or DICOM.`;
  if (model.modalities.length > 1) {
    const missing = model.modalities.filter((_, place) => !files[place]);
    if (missing.length > 0) return `This model needs a file for each modality. Choose the file of ${missing.join(" and of ")}.`;
    return "";
  }
  const whole = some.filter((file) => wholeVolume.test(file.name) || picture.test(file.name));
  if (whole.length > 0 && some.length > 1) {
    return `These are ${count(some.length, "file")}, among them ${whole[0].name}. `
      + (model.isPicture ? "Choose one picture." : "Choose one file, or the files of one DICOM series.");
  }
  return "";
}

/**
 * Puts files at the places of modalities: by a name that has the modality or its number (`_0000`), and the rest in the
 * order of their names at places that are free.
 */
export function placed(files, modalities, before) {
  const places = before.slice();
  const rest = [];
  const taken = new Set();
  for (const file of files) {
    const place = modalities.findIndex((modality, index) => !taken.has(index) && isNamed(file.name, modality, index));
    if (place < 0) { rest.push(file); continue; }
    places[place] = file;
    taken.add(place);
  }
  for (const file of rest) {
    const free = modalities.findIndex((_, index) => !places[index]);
    if (free < 0) break;
    places[free] = file;
  }
  return places;
}

function isNamed(name, modality, index) {
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  return words.includes(String(index).padStart(4, "0")) || words.includes(modality.toLowerCase());
}

export const total = (files) => files.reduce((sum, file) => sum + file.size, 0);
export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** A number of bytes in words, such as `1.4 GiB`. */
export function bytes(number) {
  if (number === 1) return "1 byte";
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let power = 0;
  while (number >= 1024 && power < units.length - 1) { number /= 1024; power += 1; }
  return `${power > 0 && number < 10 ? Number(number.toFixed(1)) : Math.round(number)} ${units[power]}`;
}

/** A duration in words, such as `about 3 min`. */
export const duration = (seconds) =>
  seconds < 90 ? `about ${Math.max(1, Math.ceil(seconds))} s` : `about ${Math.ceil(seconds / 60)} min`;
