/// The reference client for WebSockets.

import assert from "node:assert/strict";
import { resuming } from "./resume-link.mjs";
import { dataOf, main, setting, startChat, surviveCuts, until, wsClient } from "./support.mjs";

const url = setting("ANTEROOM_URL");
const admin = setting("ANTEROOM_ADMIN_TOKEN");
const operator = setting("ANTEROOM_OPERATOR_TOKEN");
const visitor = setting("ANTEROOM_VISITOR_TOKEN");

/// Runs a query or a mutation over a socket and answers its data.
function run(client, query, variables = {}) {
  return new Promise((resolve, reject) => {
    let answer;
    client.subscribe(
      { query, variables },
      { next: (next) => (answer = next), error: reject, complete: () => resolve(answer) },
    );
  }).then(dataOf);
}

/// Follows a subscription; answers the list that its events come into.
function follow(client, query, variables = {}) {
  const events = [];
  const fail = (error) => events.push({ error });
  resuming(client)(
    { query, variables },
    { next: (answer) => events.push(answer), error: fail, complete: () => fail("complete") },
  );
  return events;
}

const SESSION = `
  __typename
  ... on ChatSessionAddedEvent { chatSession { id state } }
  ... on ChatSessionChangedEvent { action chatSession { id state } }`;
const VIEWER_EVENTS = `subscription { viewerEvents { change { ${SESSION} } } }`;
const CHAT_EVENTS = `subscription ($chatId: ID!) { chatEvents(chatId: $chatId) { change { ${SESSION} } } }`;

/// A session from its making to its end: each step is made over a socket by one, and seen live by both.
async function sessionFlow() {
  const desk = wsClient(url, operator);
  const phone = wsClient(url, visitor);

  const { viewer } = await run(desk, "{ viewer { role } }");
  assert.equal(viewer.role, "OPERATOR", "a query over the socket");
  const visitorId = (await run(phone, "{ viewer { actor { id } } }")).viewer.actor.id;

  const { chatId } = await startChat(url, admin, visitor);
  await run(
    desk,
    "mutation ($input: JoinChatInput!) { joinChat(input: $input) { userErrors { message } } }",
    { input: { chatId } },
  );
  const feeds = Object.entries({
    "the operator's viewerEvents": follow(desk, VIEWER_EVENTS),
    "the operator's chatEvents": follow(desk, CHAT_EVENTS, { chatId }),
    "the visitor's viewerEvents": follow(phone, VIEWER_EVENTS),
    "the visitor's chatEvents": follow(phone, CHAT_EVENTS, { chatId }),
  });
  for (const [name, events] of feeds) {
    await until(`${name} start`, () => events.length > 0);
    const { change } = Object.values(dataOf(events[0]))[0];
    assert.match(change.__typename, /ResetEvent$/, `${name} start with a reset`);
  }

  const act = async (client, mutation, input) => {
    const type = `${mutation[0].toUpperCase()}${mutation.slice(1)}Input`;
    const data = await run(
      client,
      `mutation ($input: ${type}!) {
         ${mutation}(input: $input) { userErrors { message } chatSession { id state } }
       }`,
      { input },
    );
    return data[mutation].chatSession;
  };
  /// Each feed tells of the session's state, by this action.
  const seen = async (session, state, action) => {
    assert.equal(session.state, state);
    for (const [name, events] of feeds) {
      await until(`${name} tell that the session is ${state}`, () =>
        events.some((event) => {
          const { change } = Object.values(dataOf(event))[0];
          if (change.chatSession?.id !== session.id || change.chatSession.state !== state) return false;
          return action ? change.action === action : true;
        }),
      );
    }
  };

  const created = await act(desk, "createChatSession", {
    in: { chat: { id: chatId, participantIds: [visitorId] } },
  });
  await seen(created, "CREATED");
  const input = { chatSessionId: created.id };
  await seen(await act(desk, "startChatSession", input), "STARTED", "START");
  await seen(await act(phone, "acceptChatSession", input), "ACCEPTED", "ACCEPT");
  await seen(await act(phone, "finishChatSession", input), "FINISHED", "FINISH");
  desk.dispose();
  phone.dispose();
}

await main("graphql-ws", async () => {
  await sessionFlow();
  const cuts = await surviveCuts(url, admin, visitor, wsClient);
  return `a session seen live by both; 200 messages once and in order through ${cuts} broken connections`;
});
