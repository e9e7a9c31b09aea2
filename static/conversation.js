// One room or one person to talk with: its messages in order, its people, what is unread.
//
// Order is by id, whatever order things arrive in. What has no id is anchored: a notice stands after
// the newest message there was when it came, an unsent message after everything.

export const fold = (name) => name.toLowerCase();
export const keyOf = (kind, name) => (kind === "room" ? fold(name) : "@" + fold(name));

let sequence = 0; // tells apart what has the same anchor

// Infinity - Infinity is NaN, which is falsy: two unsent messages compare by their sequence.
const compare = (a, b) => a.anchor - b.anchor || a.sequence - b.sequence;

/** A message as the log shows it. `version` rises with each change, so a view knows what to redraw. */
export function makeItem(fields) {
  sequence += 1;
  return { id: null, status: "sent", why: "", version: 0, anchor: fields.id ?? Infinity, sequence, ...fields };
}

export class Conversation {
  constructor(kind, name) {
    this.kind = kind; // "room" or "direct"
    this.name = name;
    this.items = [];
    this.ids = new Set();
    this.people = new Map(); // folded nick -> nick
    this.peopleKnown = false;
    this.unread = 0;
    this.draft = "";
    this.more = false; // older messages exist
    this.loaded = false; // everything from the oldest shown to now is here
    this.loading = false;
    this.knownTo = null; // up to this id there was no hole when the line was lost; null: we had nothing
  }

  get key() {
    return keyOf(this.kind, this.name);
  }

  get newest() {
    return this.items.findLast((item) => item.id)?.id ?? 0;
  }

  /** The id to page back from. A message to everyone stands here as a guest, not in this history. */
  get oldest() {
    return this.items.find((item) => item.id && item.kind !== "gmsg")?.id ?? 0;
  }

  /** False when it was here already. */
  add(item) {
    if (item.id && this.ids.has(item.id)) return false;
    if (item.id) this.ids.add(item.id);
    let at = this.items.length; // nearly always the end, so look from there
    while (at > 0 && compare(this.items[at - 1], item) > 0) at -= 1;
    this.items.splice(at, 0, item);
    return true;
  }

  /** Anchor something without an id to the newest message. */
  note(item) {
    this.add(Object.assign(item, { anchor: this.newest }));
  }

  remove(item) {
    const at = this.items.lastIndexOf(item);
    if (at >= 0) this.items.splice(at, 1);
  }

  /**
   * Take in a page of history and return what was new in it. A first page that does not reach back to
   * what we had before the loss replaces it: a hole in the middle would be silent, while the
   * button for older messages fills the front.
   */
  merge(items, more, first) {
    const oldest = this.oldest;
    const reached = items[0]?.id ?? 0;
    const hole = first && !this.loaded && more && this.knownTo !== null && reached > this.knownTo;
    if (hole) this.#dropUpTo(this.knownTo);
    const added = items.filter((item) => !this.ids.has(item.id));
    for (const { id } of added) this.ids.add(id);
    this.items = this.items.concat(added).sort(compare);
    if (hole || !oldest || !items.length || reached <= oldest) this.more = more;
    if (first) this.loaded = true;
    return added;
  }

  /** The line was lost and nobody will tell us what we missed: the next first page must. */
  lapse() {
    if (this.loaded) this.knownTo = this.newest; // else there may be a hole since the last time
    this.loaded = false;
    this.peopleKnown = false;
  }

  /** Forget all but what was not sent yet. */
  clear() {
    this.#dropUpTo(Number.MAX_SAFE_INTEGER);
    Object.assign(this, { more: false, loaded: false, knownTo: null, peopleKnown: false });
  }

  #dropUpTo(id) {
    this.items = this.items.filter((item) => item.anchor > id || item.status === "failed");
    this.ids = new Set(this.items.filter((item) => item.id).map((item) => item.id));
    for (const item of this.items) if (item.anchor <= id) item.anchor = 0; // failed ones, now the oldest
  }
}
