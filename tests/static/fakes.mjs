// A clock that stands still until told, and sockets without a network.

export function fakeClock() {
  let now = 0;
  let next = 1;
  const timers = new Map();
  return {
    now: () => now,
    setTimeout(action, delay) {
      timers.set(next, { action, due: now + delay });
      return next++;
    },
    /** ms until the first timer is due. */
    next: () => Math.min(...[...timers.values()].map(({ due }) => due)) - now,
    clearTimeout: (timer) => timers.delete(timer),
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [first] = [...timers].sort(([, a], [, b]) => a.due - b.due);
        if (!first || first[1].due > end) break;
        timers.delete(first[0]);
        now = first[1].due;
        first[1].action();
      }
      now = end;
    },
  };
}

/** What a connection needs of a browser. */
export const fakeWindow = (clock, WebSocket) => ({ ...clock, performance: clock, WebSocket });

/** A WebSocket class that keeps its sockets in `all`. */
export function fakeSockets() {
  return class FakeSocket {
    static all = [];
    static get last() {
      return FakeSocket.all.at(-1);
    }
    readyState = 1;
    sent = [];
    closed = false;
    constructor(url) {
      this.url = url;
      FakeSocket.all.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {
      this.readyState = 3;
      this.closed = true;
    }
    says(event) {
      this.onmessage({ data: JSON.stringify(event) });
    }
    breaks(code = 1006) {
      this.readyState = 3;
      this.onclose({ code });
    }
    /** Answer the newest command of this type. */
    answers(type, answer) {
      const { ref } = this.sent.findLast((command) => command.type === type);
      this.says({ ...answer, ref });
    }
  };
}

/** Let promises that are settled run on. */
export const settled = () => new Promise((done) => setImmediate(done));

export const hello = (epoch = "e1") => ({ type: "hello", server: "parlour", version: "1", epoch, limits: { text: 2000 } });

export const message = (id, text = `m${id}`, nick = "Bob", room = "#general") => ({
  type: "msg",
  id,
  time: "2026-11-20T09:30:00.123Z",
  room,
  nick,
  text,
});
