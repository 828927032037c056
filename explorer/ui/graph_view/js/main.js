// What Streamlit calls: at the first mount, and again whenever Python sends new data.

import { GraphView } from "./view.js";

const views = new WeakMap();

export default function graphView(component) {
  const { parentElement, data, setTriggerValue } = component;
  const send = (event) => setTriggerValue("event", event);
  let view = views.get(parentElement);
  if (!view) {
    view = new GraphView(parentElement, send);
    views.set(parentElement, view);
  }
  view.send = send;
  view.update(data);
  return () => {
    view.stop?.();
    view.parts?.root.remove();
    views.delete(parentElement);
  };
}
