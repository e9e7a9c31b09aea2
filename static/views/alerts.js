import { attempt } from "../memory.js";
import { byId } from "./dom.js";

const BEEP = 0.25; // s

/** What calls one who does not look: notifications and a sound, if wanted. */
export function mountAlerts({ store, session }) {
  const choice = byId("notify");
  const { Notification } = window; // not everywhere
  let audio = null;

  function beep() {
    audio ??= new AudioContext();
    const end = audio.currentTime + BEEP;
    const tone = new OscillatorNode(audio, { frequency: 740 });
    const volume = new GainNode(audio, { gain: 0.1 });
    volume.gain.exponentialRampToValueAtTime(0.001, end);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(end);
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

  const wanted = () => store.settings.notify && Notification?.permission === "granted";

  store.onCall = (there, item) => {
    if (store.settings.sound) beep();
    if (wanted()) attempt(() => notify(there, item)); // some phones have the name and refuse to do it
  };
  byId("sound").onclick = ({ target }) => target.checked && beep();
  choice.onclick = async () => {
    store.choose({ notify: !wanted() && (await Notification.requestPermission()) === "granted" });
  };

  return () => {
    choice.disabled = (Notification?.permission ?? "denied") === "denied";
    choice.textContent = choice.disabled ? "Blocked by the browser" : `Turn ${wanted() ? "off" : "on"} notifications`;
  };
}
