/// Below the answer: whether the subscription is live, and everything that it brought, across breaks.

import { useEffect, useRef } from "react";
import { forgetEvents, live, seconds } from "./live.js";
import { useStore } from "./store.js";

const time = (date) => date.toLocaleTimeString([], { hour12: false });

function describe({ phase, resumed }) {
  switch (phase) {
    case "connecting":
      return "Connecting…";
    case "reconnecting":
      return "Reconnecting: the connection was lost";
    case "live":
      return resumed ? `Live: resumed at ${time(resumed.at)} after ${seconds(resumed.after)}` : "Live";
    default:
      return "Ended";
  }
}

export function LiveLog() {
  const state = useStore(live);
  const { phase, entries } = state;
  const list = useRef(null);
  useEffect(() => {
    list.current?.scrollTo(0, list.current.scrollHeight);
  }, [entries]);
  if (phase === "idle" && entries.length === 0) return null;
  return (
    <section className="anteroom-live" data-phase={phase}>
      <header>
        <strong role="status">{describe(state)}</strong>
        <button type="button" onClick={forgetEvents}>
          Clear
        </button>
      </header>
      <ol ref={list}>
        {entries.map(({ key, kind, text, at }) => (
          <li key={key} data-kind={kind} title={text}>
            <time>{time(at)}</time> {text}
          </li>
        ))}
      </ol>
    </section>
  );
}
