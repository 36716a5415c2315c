/// The initial tabs of GraphiQL. A test of the server runs every operation here.

import chat from "./chat.graphql?raw";
import desk from "./desk.graphql?raw";
import events from "./events.graphql?raw";
import everyday from "./everyday.graphql?raw";
import file from "./file.graphql?raw";
import queue from "./queue.graphql?raw";
import send from "./send.graphql?raw";
import session from "./session.graphql?raw";
import start from "./start.graphql?raw";
import take from "./take.graphql?raw";

/// The tabs, with the ids of a chat that the viewer may see and of the rooms that they may follow filled in.
export function exampleTabs({ chatId = "an id from the tab Start", roomIds }) {
  const tab = (query, variables) => ({ query, variables: variables && JSON.stringify(variables, null, 2) });
  return [
    tab(start),
    tab(queue),
    tab(desk, { roomIds }),
    tab(take, { chatId: "an id from the tab Queue" }),
    tab(chat, { chatId }),
    tab(send, { chatId, text: "Hello!" }),
    tab(everyday, { chatId, messageId: "the id that SendMessage returned" }),
    tab(file, { chatId, size: 48213, attachmentId: "the id that Upload returned" }),
    tab(session, { chatId, chatSessionId: "the id that RingSession returned" }),
    tab(events, { chatId }),
  ];
}
