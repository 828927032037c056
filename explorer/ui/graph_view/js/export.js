// The whole drawing as a file, made in the browser.

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

/** Saves a drawing as "svg" or, through a canvas, as "png". */
export async function save(kind, model, text) {
  const svg = new Blob([text], { type: "image/svg+xml" });
  if (kind === "svg") {
    download(svg, fileName(model, kind));
    return;
  }
  const image = new Image();
  image.src = URL.createObjectURL(svg);
  await image.decode().finally(() => URL.revokeObjectURL(image.src));
  const scale = pngScale(image.width, image.height);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: Math.floor(image.width * scale), height: Math.floor(image.height * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  download(await new Promise((done) => canvas.toBlob(done, "image/png")), fileName(model, kind));
}
