/// How the subscriptions of this page fare: whether they are live, what came, and where they resumed.

import { makeStore } from "./store.js";

/// Entries that are kept to be looked at.
const MOST = 200;

/// `phase`: idle, connecting, live or reconnecting. `lostAt`: since when the connection is gone.
/// `resumed`: what the last break was: `{ at, after }`, the latter in milliseconds. `entries`: the events that
/// came and the breaks between them, oldest first.
const IDLE = { phase: "idle", lostAt: null, resumed: null, entries: [] };

export const live = makeStore(IDLE);

let serial = 0;

const update = (changes) => live.set({ ...live.get(), ...changes });

function record(kind, text) {
  serial += 1;
  const entry = { key: serial, kind, text, at: new Date() };
  update({ entries: [...live.get().entries, entry].slice(-MOST) });
}

export const forgetEvents = () => update({ entries: [], resumed: null });

/// Tells of one connection: what its client reports, and what its subscriptions receive.
export function tell() {
  live.set(IDLE);
  let running = 0;
  return {
    connecting: () => update({ phase: live.get().lostAt ? "reconnecting" : "connecting" }),
    connected() {
      const { lostAt } = live.get();
      if (lostAt) {
        const resumed = { at: new Date(), after: Date.now() - lostAt };
        record("resumed", `Resumed after ${seconds(resumed.after)}`);
        update({ resumed, lostAt: null });
      }
      update({ phase: "live" });
    },
    closed() {
      if (running === 0 || live.get().phase !== "live") return;
      record("lost", "Connection lost");
      update({ phase: "reconnecting", lostAt: Date.now() });
    },
    began: () => (running += 1),
    received: (result) => record(result.errors ? "error" : "event", summary(result)),
    ended() {
      running -= 1;
      if (running === 0) update({ phase: "idle", lostAt: null });
    },
  };
}

export const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

/// What an event says, in a line: the values that were selected, in their order.
function summary({ data, errors }) {
  if (errors) return errors.map(({ message }) => message).join(" ");
  const leaves = (value) => (value !== null && typeof value === "object" ? Object.values(value).flatMap(leaves) : value);
  return [leaves(data)].flat().filter((leaf) => leaf !== null).join(" · ");
}
