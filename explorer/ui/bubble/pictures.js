// The chart as the visitor sees it, as SVG, PNG or a page to print: zoomed, played to its year.
// Plotly draws two SVGs over each other and styles their elements one by one, so that they can be
// put into one file as they stand.
const DROPPED = ".hoverlayer, .draglayer, .selectionlayer, .menulayer, .updatemenu-container, " +
  ".slider-container, .outline-controllers, .select-outline";

const picture = (selector) => {
  const plot = document.querySelector(`${selector} .js-plotly-plot`);
  if (!plot) return null;
  const [base, ...over] = plot.querySelectorAll("svg.main-svg");
  const { width, height } = base.getBoundingClientRect();
  const svg = base.cloneNode(true);
  for (const layer of over) svg.append(...layer.cloneNode(true).childNodes);
  svg.querySelectorAll(DROPPED).forEach((element) => element.remove());
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const colour = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
  for (const [name, value] of Object.entries({ width, height, fill: colour }))
    ground.setAttribute(name, value);
  svg.prepend(ground);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("xmlns:xlink", "http://www.w3.org/1999/xlink");
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
    svg.setAttribute(name, value);
  svg.removeAttribute("style");
  svg.removeAttribute("class");
  return { text: new XMLSerializer().serializeToString(svg), width, height };
};

const save = (blob, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

const png = async ({ text, width, height }, name) => {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const scale = 3; // 1,080 px become 3,240: sharp on a printed A4 page
  Object.assign(canvas, { width: width * scale, height: height * scale });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, name), "image/png");
};

const print = ({ text, width, height }, name) => {
  document.querySelector("iframe.bubble-print")?.remove();
  const frame = document.createElement("iframe");
  frame.className = "bubble-print";
  frame.style.cssText = "position:fixed;width:0;height:0;border:0";
  frame.srcdoc = `<!doctype html><title>${name}</title><style>@page { size: ${width}px ${height}px;
    margin: 0 } body { margin: 0; -webkit-print-color-adjust: exact; print-color-adjust: exact }
    svg { display: block }</style>${text}`;
  frame.onload = () => frame.contentWindow.print();
  document.body.append(frame);
};

export default function ({ parentElement, data }) {
  const row = document.createElement("div");
  row.className = "pictures";
  for (const [kind, label] of data.buttons) {
    const button = document.createElement("button");
    button.textContent = label;
    button.type = "button";
    button.onclick = async () => {
      const drawn = picture(data.selector);
      if (!drawn) return;
      const name = `${data.name}.${kind}`;
      if (kind === "svg") save(new Blob([drawn.text], { type: "image/svg+xml" }), name);
      else if (kind === "png") await png(drawn, name);
      else print(drawn, data.name);
    };
    row.append(button);
  }
  parentElement.replaceChildren(row);
}
