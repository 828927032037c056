// The whole drawing as a file, made in the browser.

import { svgDocument } from "./paint.js";

const SIDE = 32000; // px that a canvas may be long
const AREA = 120e6; // px that it may hold

/** Pixels per px of the drawing so that a canvas can hold it: 2 where possible. */
export function pngScale(width, height) {
  return Math.min(2, SIDE / Math.max(width, height), Math.sqrt(AREA / (width * height)));
}

/** Hands a file to the browser's downloads. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** "resnet50" → "resnet50-graph.svg"; ids hold slashes. */
export function fileName(model, kind) {
  return `${model.name.replace(/[^\w.-]+/g, "_")}-graph.${kind}`;
}

export function saveSvg(model, theme, fills, title) {
  const blob = new Blob([svgDocument(model, theme, fills, title)], { type: "image/svg+xml" });
  download(blob, fileName(model, "svg"));
}

/** Draws the SVG on a canvas; resolves when the file is handed over. */
export async function savePng(model, theme, fills, title) {
  const blob = new Blob([svgDocument(model, theme, fills, title)], { type: "image/svg+xml" });
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = pngScale(image.width, image.height);
    const canvas = document.createElement("canvas");
    canvas.width = Math.floor(image.width * scale);
    canvas.height = Math.floor(image.height * scale);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = await new Promise((done) => canvas.toBlob(done, "image/png"));
    download(png, fileName(model, "png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}
