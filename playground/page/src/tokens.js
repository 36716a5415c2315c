/// The tokens that were opened in this tab. They come in the fragment of a URL, which browsers keep to
/// themselves, and live in sessionStorage, which ends with the tab: no server, log or other tab sees them.

import { makeStore } from "./store.js";

const KEY = "anteroom:tokens";

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? { tokens: [], current: null };
  } catch {
    return { tokens: [], current: null };
  }
}

/// `tokens`: what is known of each: `{ token, id, name, role }`, all but the first once the server said so.
/// `current`: the token in use, or null.
export const tokens = makeStore(stored());

tokens.subscribe(() => sessionStorage.setItem(KEY, JSON.stringify(tokens.get())));

/// Takes the token out of the address bar, and puts it to use.
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  useToken(token);
}

/// Another of the printed URLs opened in this tab changes the fragment alone: the page is not loaded again.
addEventListener("hashchange", takeToken);

/// Puts a token to use, one of the tab's or a new one.
export function useToken(token) {
  const known = tokens.get().tokens;
  const isKnown = known.some((one) => one.token === token);
  tokens.set({ tokens: isKnown ? known : [...known, { token }], current: token });
}

/// Remembers whose token it is.
export function nameToken(token, { id, name, role }) {
  const named = tokens.get().tokens.map((one) => (one.token === token ? { token, id, name, role } : one));
  // A newer token of the same person takes the place of the older one.
  const kept = named.filter((one) => one.token === token || one.id !== id);
  tokens.set({ ...tokens.get(), tokens: kept });
}

/// Forgets a token, and goes on with another one.
export function forgetToken(token) {
  const kept = tokens.get().tokens.filter((one) => one.token !== token);
  tokens.set({ tokens: kept, current: kept[0]?.token ?? null });
}
