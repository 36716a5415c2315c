/// The menu that switches between the tokens that were opened in this tab.

import { useStore } from "./store.js";
import { forgetToken, tokens, useToken } from "./tokens.js";

const label = ({ name, role }) => (name ? `${name} · ${role.toLowerCase().replace("_", " ")}` : "nobody yet");

export function TokenMenu({ onAdd }) {
  const { tokens: known, current } = useStore(tokens);
  if (!current) return null;
  const actions = { add: onAdd, forget: () => forgetToken(current) };
  const choose = ({ target: { value } }) => (actions[value] ?? (() => useToken(known[value].token)))();
  return (
    <label className="anteroom-menu">
      Signed in as{" "}
      <select value={known.findIndex(({ token }) => token === current)} onChange={choose}>
        {known.map((one, index) => (
          <option key={one.token} value={index}>
            {label(one)}
          </option>
        ))}
        <hr />
        <option value="add">Add a token…</option>
        <option value="forget">Forget this token</option>
      </select>
    </label>
  );
}
