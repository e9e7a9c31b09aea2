// Where one types. Enter sends, Shift+Enter begins another line; each conversation has its own draft.

import { byId, hasKeyboard } from "./dom.js";

export function mountComposer({ store, actions }) {
  const form = byId("composer");
  const field = byId("message");
  const problem = byId("problem");
  let shown = null; // key of the conversation whose draft is in the field

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value;
    const from = shown;
    if (!actions.submit(text)) return field.focus();
    store.setDraft(from, "");
    if (field.value === text) field.value = "";
  });
  field.addEventListener("keydown", (event) => {
    // While an input method composes, Enter picks a candidate.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  field.addEventListener("input", () => store.setDraft(shown, field.value));

  return (topics) => {
    if (topics.has("problem") || topics.has("me")) {
      problem.textContent = store.phase === "in" ? store.problem : "";
    }
    if (!topics.has("list") && !topics.has("me")) return;
    const { current } = store;
    const key = store.phase === "in" ? (current?.key ?? null) : null;
    if (key === shown) return;
    shown = key;
    field.value = current?.draft ?? "";
    field.placeholder = current ? `Message ${current.name}` : "/join #room";
    if (key && hasKeyboard()) field.focus();
  };
}
