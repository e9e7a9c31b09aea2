import { attempt } from "../memory.js";
import { byId } from "./dom.js";

const BEEP = 0.25; // s

/** What calls one who does not look: notifications and a sound, if wanted. */
export function mountAlerts({ store, session }) {
  const button = byId("notify");
  const { Notification } = window; // not everywhere
  let context = null;

  function beep() {
    context ??= new AudioContext();
    const tone = new OscillatorNode(context, { frequency: 740 });
    const volume = new GainNode(context, { gain: 0.1 });
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + BEEP);
    tone.connect(volume).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + BEEP);
  }

  function notify(there, { nick, text }) {
    const title = there.kind === "room" ? `${nick} in ${there.name}` : nick;
    const note = new Notification(title, { body: text, tag: there.name, icon: "/static/icon-192.png" });
    note.onclick = () => {
      focus();
      session.open(there);
      note.close();
    };
  }

  const allowed = () => store.settings.notify && Notification?.permission === "granted";

  store.onCall = (there, item) => {
    if (store.settings.sound) beep();
    if (allowed()) attempt(() => notify(there, item)); // some phones have the name and refuse to do it
  };
  byId("sound").onclick = ({ target }) => target.checked && beep();
  button.onclick = async () => {
    const notify = !allowed() && (await Notification.requestPermission()) === "granted";
    store.choose({ notify });
  };

  return () => {
    const blocked = !Notification || Notification.permission === "denied";
    button.disabled = blocked;
    button.textContent = blocked ? "Blocked by the browser" : `Turn ${allowed() ? "off" : "on"} notifications`;
  };
}
