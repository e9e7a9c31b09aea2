// Where one types. Enter sends, Shift+Enter begins another line; each conversation has its own draft.

import { byId } from "./dom.js";

export function mountComposer({ store, submit }) {
  const form = byId("composer");
  const field = byId("message");
  let shown = null; // the conversation whose draft is in the field

  form.onsubmit = (event) => {
    event.preventDefault();
    const from = shown; // what is submitted may open another conversation at once
    if (!submit(field.value)) return;
    if (from) from.draft = "";
    if (from === shown) field.value = "";
  };
  field.onkeydown = (event) => {
    // While an input method composes, Enter picks a candidate.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  };
  field.oninput = () => {
    if (shown) shown.draft = field.value;
  };

  return () => {
    const { current } = store;
    const inside = store.phase === "in";
    byId("problem").textContent = inside ? store.problem : "";
    if (!inside || current === shown) return;
    shown = current;
    field.value = current?.draft ?? "";
    field.placeholder = current ? `Message ${current.name}` : "/join #room";
    // Without a keyboard, focus would bring one up over the messages.
    if (matchMedia("(pointer: fine)").matches) field.focus();
  };
}
