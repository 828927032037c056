// Moves the layer graphs of a page together. A graph says where its camera stands ("camera": scale and
// the place in the middle, as shares of its drawing); the others are told to follow within that frame.

export default function () {
  const stages = () => {
    const found = [];
    const walk = (root) => {
      for (const element of root.querySelectorAll("*")) {
        if (element.shadowRoot) walk(element.shadowRoot);
        if (element.classList.contains("stage")) found.push(element);
      }
    };
    walk(document);
    return found;
  };
  let known = [];
  const follow = (event) => {
    const source = event.composedPath()[0];
    if (!known.includes(source) || known.some((stage) => !stage.isConnected)) known = stages();
    for (const stage of known) {
      if (stage !== source) stage.dispatchEvent(new CustomEvent("follow", { detail: event.detail }));
    }
  };
  document.addEventListener("camera", follow);
  return () => document.removeEventListener("camera", follow);
}
