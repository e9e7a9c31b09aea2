import { roomName } from "../commands.js";
import { byId, el, nickClass } from "./dom.js";

const REST = 250; // ms without a key; then the server is asked
const MOST = 12; // of each kind

export function mountFinder({ store, session }) {
  const dialog = byId("finder");
  const field = byId("find");
  let rooms = [];
  let people = [];
  let timer = null;

  /** `choices` are [what to do, ...what is shown]. */
  function fill(kind, choices) {
    const list = byId(`found-${kind}`);
    const make = ([go, ...parts]) =>
      el("li", {}, el("button", { type: "button", onclick: () => (dialog.close(), go()) }, ...parts));
    list.replaceChildren(...choices.slice(0, MOST).map(make));
    list.parentElement.hidden = !choices.length;
  }

  const small = (text) => el("small", {}, text);
  const roomChoice = ({ room, members, topic }) => [() => session.join(room), room, small(` ${members} here${topic && ` · ${topic}`}`)];
  const nickChoice = (nick) => [() => session.talkTo(nick), el("span", { className: nickClass(nick) }, nick)];
  const saidChoice = (each) => [() => session.reveal(each), small(`${each.room ?? "Direct"} `), `${each.nick}: ${each.text}`];

  function draw() {
    const query = field.value;
    const word = query.trim().toLowerCase();
    const fits = (text) => text.toLowerCase().includes(word);
    fill("rooms", rooms.filter(({ room, topic }) => fits(`${room} ${topic}`)).map(roomChoice));
    const named = roomName(word);
    const isNew = named && !rooms.some(({ room }) => room === named);
    fill("new", isNew ? [[() => session.join(named), named, small(" a new room")]] : []);
    fill("people", people.filter(fits).map(nickChoice));
    clearTimeout(timer);
    if (!word) return fill("said", []);
    timer = setTimeout(async () => {
      const { messages = [] } = await session.search(query);
      if (query === field.value) fill("said", store.visible(messages).reverse().map(saidChoice));
    }, REST);
  }

  async function open() {
    store.finding = false;
    if (dialog.open) return;
    field.value = "";
    dialog.showModal();
    draw();
    const [listed, online] = await Promise.all([session.rooms(), session.online()]);
    rooms = listed.rooms ?? [];
    people = online.nicks ?? [];
    if (document.activeElement === field) draw(); // else one has begun to choose
  }

  field.oninput = draw;
  dialog.onclick = ({ target }) => target === dialog && dialog.close(); // beside it
  dialog.onkeydown = (event) => {
    const places = [field, ...dialog.querySelectorAll("li button")];
    const at = places.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) places.at((at + step) % places.length).focus();
    else if (event.key === "Enter" && !at) places[1]?.click();
    else return;
    event.preventDefault();
  };
  byId("jump-to").onclick = open;
  addEventListener("keydown", (event) => {
    if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || store.phase !== "in") return;
    event.preventDefault();
    open();
  });

  return () => store.finding && open();
}
