import { hashOf } from "../route.js";
import { byId, el, follow, span, spoken } from "./dom.js";

export function mountRooms({ store, session }) {
  const lists = { room: byId("room-list"), direct: byId("direct-list") };

  function make(each) {
    const onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // to another tab, by the address
      event.preventDefault();
      session.open(each);
    };
    return el("li", {}, el("a", { onclick }, span("name"), span("badge")));
  }

  function update(link, each) {
    const { kind, name, unread, mentions } = each;
    link.href = hashOf(kind, name);
    link.ariaCurrent = each === store.current ? "page" : null;
    link.firstChild.textContent = name;
    link.lastChild.hidden = !unread;
    link.lastChild.classList.toggle("mentions", mentions > 0);
    link.lastChild.replaceChildren(unread, spoken(" unread"));
  }

  return () => {
    for (const [kind, list] of Object.entries(lists)) {
      const some = store.all.filter((each) => each.kind === kind);
      follow(list, some, { make });
      some.forEach((each, index) => update(list.children[index].firstChild, each));
      list.parentElement.hidden = !some.length;
    }
  };
}
