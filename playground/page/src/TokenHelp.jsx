/// Shows the problem with the token, and how to get another one.

import { useToken } from "./tokens.js";

export function TokenHelp({ problem }) {
  function submit(event) {
    event.preventDefault();
    const token = new FormData(event.target).get("token").trim();
    if (token) useToken(token);
  }
  return (
    <section className="anteroom-help" role={problem ? "alert" : undefined}>
      {problem && <p className="anteroom-problem">{problem}</p>}
      <p>Every request needs a token. To get one:</p>
      <ul>
        <li>
          open one of the URLs that the server printed when it created the demo organization; they are valid for a day,
        </li>
        <li>
          as an admin, run the mutation <code>issueToken</code>,
        </li>
        <li>
          or stop the server and run <code>anteroom token --tenant demo --instance main --user "Ada Admin"</code>.
        </li>
      </ul>
      <form onSubmit={submit}>
        <input
          name="token"
          type="password"
          placeholder="Paste a token"
          aria-label="Token"
          autoComplete="off"
          spellCheck={false}
        />
        <button>Use it</button>
        <small>The token is stored in this tab until you close it.</small>
      </form>
    </section>
  );
}
