import { makeSubmit } from "./actions.js";
import { makeConnection } from "./connection.js";
import { makeSession } from "./session.js";
import { Store } from "./state.js";

const url = `${location.protocol.replace("http", "ws")}//${location.host}/ws`;

export const store = new Store();
const connect = (on) => makeConnection({ url, window, on });
export const session = makeSession({ store, connect });
export const submit = makeSubmit(store, session);
