// Colours of kinds, the scale of values, and numbers with units.

const KINDS = {
  convolution: ["#2f66d0", "#7da7ff"], depthwise: ["#0a8a99", "#4fd0dc"],
  linear: ["#7444cf", "#b794ff"], attention: ["#b83280", "#ff8ac8"],
  normalisation: ["#64748b", "#9fb0c6"], activation: ["#c2700a", "#ffb84d"],
  pooling: ["#2e8540", "#6fd083"], elementwise: ["#b4483a", "#ff9a8a"],
  layout: ["#8a8f98", "#a8adb6"], other: ["#7d7a2a", "#cfca6a"],
};
// From little to much; made to be read without colour too: lightness changes steadily.
const RAMP = {
  light: ["#f4efd9", "#b9dcae", "#5bb3a4", "#2f7fa8", "#284b8c", "#2a1a5e"],
  dark: ["#2b2350", "#2f4f8f", "#2f86a6", "#4fb79f", "#b5dc9a", "#fbf3b4"],
};

export const KIND_NAMES = Object.keys(KINDS);

/** The colour of a kind; modules, folds and boundaries take the text's. */
export function kindColour(kind, theme) {
  const pair = KINDS[kind];
  return pair ? pair[theme.dark ? 1 : 0] : theme.fg;
}

/** [r, g, b] of "#rrggbb", "#rgb", "rgb(…)" or "rgba(…)". */
export function rgb(text) {
  const value = text.trim();
  if (value.startsWith("#")) {
    const hex = value.length < 7 ? [...value.slice(1, 4)].map((c) => c + c).join("") : value.slice(1, 7);
    return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }
  const parts = value.match(/[\d.]+/g);
  return parts && parts.length >= 3 ? parts.slice(0, 3).map(Number) : [128, 128, 128];
}

/** `share` of the first colour, the rest of the second: "#rrggbb". */
export function mix(first, second, share) {
  const [a, b] = [rgb(first), rgb(second)];
  return "#" + a.map((c, at) => Math.round(c * share + b[at] * (1 - share)).toString(16).padStart(2, "0")).join("");
}

/** Relative luminance, 0 black to 1 white (WCAG 2). */
export function luminance(colour) {
  const [r, g, b] = rgb(colour).map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever is read better on a colour. */
export function ink(colour) {
  return luminance(colour) > 0.22 ? "#15171c" : "#ffffff";
}

/** The ramp's colour at 0…1. */
export function ramp(share, dark) {
  const stops = RAMP[dark ? "dark" : "light"];
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  return mix(stops[low + 1], stops[low], at - low);
}

/** A log scale over the positive values: share(value) is 0…1, or null for nothing to show. */
export function logScale(values) {
  const positive = values.filter((value) => value > 0);
  const least = Math.min(...positive);
  const most = Math.max(...positive);
  const span = Math.log(most / least);
  const share = (value) => {
    if (!(value > 0)) return null;
    return span > 1e-9 ? Math.log(value / least) / span : 1;
  };
  return { least, most, share, empty: positive.length === 0 };
}

/** Ticks of a log scale: its ends and the powers of ten between them, at most five. */
export function ticks(scale) {
  if (scale.empty) return [];
  const found = [scale.least];
  const first = Math.ceil(Math.log10(scale.least) + 0.15);
  const last = Math.floor(Math.log10(scale.most) - 0.15);
  const every = Math.max(1, Math.ceil((last - first + 1) / 3));
  for (let power = first; power <= last; power += every) found.push(10 ** power);
  if (scale.most > scale.least) found.push(scale.most);
  return found;
}

/** Three digits and a prefix: 25557032 → "25.6 M"; small numbers with m, µ, n. */
export function si(value, unit = "") {
  if (!Number.isFinite(value)) return "–";
  const prefixes = ["n", "µ", "m", "", "k", "M", "G", "T", "P"];
  let power = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-9);
  power = Math.max(-3, Math.min(5, power));
  const small = Math.abs(value) < 1 && unit !== "s"; // only times are said in milli and micro
  if (small) power = 0;
  let number = value / 1000 ** power;
  if (Math.abs(number) >= 999.5 && power < 5) [number, power] = [number / 1000, power + 1];
  const digits = Number.isInteger(number) && Math.abs(number) < 1000 ? String(number) : number.toPrecision(3);
  const suffix = prefixes[power + 3] + unit;
  return suffix ? `${digits}\u202f${suffix}` : digits;
}
