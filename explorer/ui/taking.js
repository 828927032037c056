// Hands an image that is pasted, or dragged here from another tab, to the page's file uploader.

export default function ({ parentElement, data }) {
  const line = parentElement.querySelector("p");
  line.textContent = data.hint;
  const say = (words) => { line.textContent = words; };

  const hand = (file) => {
    const input = document.querySelector('[data-testid="stFileUploader"] input[type="file"]');
    if (!input) return;
    const box = new DataTransfer();
    box.items.add(file);
    input.files = box.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    say(data.hint);
  };
  const image = (files) => [...(files ?? [])].find((file) => file.type.startsWith("image/"));

  const pasted = (event) => {
    const file = image(event.clipboardData?.files);
    if (!file) return; // text goes where it was meant to
    event.preventDefault();
    hand(file);
  };

  const address = (transfer) => {
    const markup = new DOMParser().parseFromString(transfer.getData("text/html"), "text/html");
    const source = markup.querySelector("img")?.getAttribute("src");
    const [link] = transfer.getData("text/uri-list").split(/\r?\n/).filter((one) => !one.startsWith("#"));
    return source || link;
  };
  // An image of another site comes as its address; whether that may be read is for the site to say.
  const fetched = async (from) => {
    try {
      const answer = await fetch(from);
      const blob = await answer.blob();
      if (!answer.ok || !blob.type.startsWith("image/")) throw new Error(blob.type);
      const name = decodeURIComponent(new URL(from, location).pathname.split("/").pop() || "image").slice(-60);
      hand(new File([blob], name.includes(".") ? name : `${name}.${blob.type.split("/")[1]}`, { type: blob.type }));
    } catch {
      say(data.refused);
    }
  };

  let own = false; // something of this page is being dragged: not meant for the network
  const begun = () => { own = true; };
  const ended = () => { own = false; };
  const foreign = (event) =>
    !own && !event.target?.closest?.('[data-testid="stFileUploader"], input, textarea') &&
    ["Files", "text/uri-list", "text/html"].some((type) => event.dataTransfer?.types.includes(type));
  const over = (event) => {
    if (!foreign(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  };
  const dropped = (event) => {
    if (!foreign(event)) return;
    event.preventDefault();
    const file = image(event.dataTransfer.files);
    const from = file ? null : address(event.dataTransfer);
    if (file) hand(file);
    else if (from) fetched(from);
    else say(data.none);
  };

  // A dragged element that is drawn anew meanwhile never says that its drag is over.
  const heard = { paste: pasted, pointerdown: ended, dragstart: begun, dragend: ended, dragover: over, drop: dropped };
  for (const [name, answer] of Object.entries(heard)) document.addEventListener(name, answer);
  return () => {
    for (const [name, answer] of Object.entries(heard)) document.removeEventListener(name, answer);
  };
}
