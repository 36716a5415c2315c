/// What GraphiQL's tabs show at first. A test of the server runs every operation here.

import chat from "./chat.graphql?raw";
import events from "./events.graphql?raw";
import queue from "./queue.graphql?raw";
import send from "./send.graphql?raw";
import session from "./session.graphql?raw";
import start from "./start.graphql?raw";

/// The tabs, with the id of a chat that the viewer may see filled in.
export function exampleTabs(chatId = "an id from the tab Start") {
  const tab = (query, variables) => ({ query, variables: variables && JSON.stringify(variables, null, 2) });
  return [
    tab(start),
    tab(queue),
    tab(chat, { chatId }),
    tab(send, { chatId, text: "Hello!" }),
    tab(session, { chatId, chatSessionId: "the id that RingSession answered" }),
    tab(events, { chatId }),
  ];
}
