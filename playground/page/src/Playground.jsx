/// The page: a bar with the menu of tokens, what there is to say about the token, and GraphiQL.

import { GraphiQL } from "graphiql";
import { useEffect, useState } from "react";
import { connect } from "./connection.js";
import { exampleTabs } from "./examples/index.js";
import { LiveLog } from "./LiveLog.jsx";
import { useStore } from "./store.js";
import { TokenHelp } from "./TokenHelp.jsx";
import { TokenMenu } from "./TokenMenu.jsx";
import { nameToken, tokens } from "./tokens.js";

export function Playground() {
  const { current } = useStore(tokens);
  const { connection, tabs, problem } = useSession(current);
  const [isAdding, setAdding] = useState(false);
  useEffect(() => {
    setAdding(false);
  }, [current]);
  return (
    <div className="anteroom">
      <header className="anteroom-bar">
        <span className="anteroom-name">Anteroom</span>
        <TokenMenu onAdd={() => setAdding(true)} />
      </header>
      {(problem || isAdding || !current) && <TokenHelp problem={current && problem} />}
      {current && tabs && (
        <main className="anteroom-main">
          <GraphiQL
            fetcher={connection.fetcher}
            defaultTabs={tabs}
            storage={sessionStorage}
            defaultEditorToolsVisibility="variables"
            isHeadersEditorEnabled={false}
            showPersistHeadersSettings={false}
            inputValueDeprecation
            schemaDescription
          >
            <GraphiQL.Logo> </GraphiQL.Logo>
            <GraphiQL.Footer>
              <LiveLog />
            </GraphiQL.Footer>
          </GraphiQL>
        </main>
      )}
    </div>
  );
}

/// The connection of the token in use; the tabs to begin with, once a token was taken; and what is wrong with
/// the token now.
function useSession(token) {
  const [session, setSession] = useState({});
  useEffect(() => {
    if (!token) return;
    const update = (changes) => setSession((session) => ({ ...session, ...changes }));
    const connection = connect(token, (problem) => update({ problem }));
    update({ connection, problem: null });
    connection.whoAmI().then(
      (viewer) => {
        if (!viewer) return;
        nameToken(token, viewer);
        setSession((session) => ({ ...session, tabs: session.tabs ?? exampleTabs(viewer) }));
      },
      () => update({ problem: "The server does not answer. Load the page again in a moment." }),
    );
    return connection.close;
  }, [token]);
  return session;
}
