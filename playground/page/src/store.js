/// A value that changes and says so.

import { useSyncExternalStore } from "react";

export function makeStore(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/// A store's value, in a component that follows it.
export const useStore = (store) => useSyncExternalStore(store.subscribe, store.get);
