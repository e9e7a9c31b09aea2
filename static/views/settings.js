import { button, byId, el, follow } from "./dom.js";

export function mountSettings({ store }) {
  const { theme, typing, sound } = byId("choices"); // style.css looks at the theme
  const list = byId("ignored");

  byId("choices").onchange = () => {
    store.choose({ theme: theme.value, typing: typing.checked, sound: sound.checked });
  };

  function make(nick) {
    const undo = button(() => store.ignore(nick, false), "Unignore");
    undo.ariaLabel = `Unignore ${nick}`;
    return el("li", {}, nick, undo);
  }

  return () => {
    const { settings } = store;
    theme.value = settings.theme;
    typing.checked = settings.typing;
    sound.checked = settings.sound;
    follow(list, settings.ignored, { make });
    list.parentElement.hidden = !settings.ignored.length;
  };
}
