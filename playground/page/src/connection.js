/// One token's way to the server: queries and mutations by POST, subscriptions on a socket that comes back by
/// itself, for as long as the page is open, and goes on where it stood.

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { createClient } from "graphql-ws";
import { tell } from "./live.js";
import { resuming } from "./resuming.js";

const url = new URL("../graphql", location.href);
const socketUrl = Object.assign(new URL(url), { protocol: url.protocol.replace("http", "ws") });

/// Closes a socket whose token is not, or no longer, taken.
const REFUSED = 4403;
/// How often a socket is asked whether it is still there, and how long the answer may take, in milliseconds.
const PING_EVERY = 10_000;
const PONG_WITHIN = 5_000;

const VIEWER = `query Playground {
  viewer {
    id
    role
    actor { displayName }
    inbox(first: 10, filter: { type: VISITOR, isEnded: false }) { nodes { id userMessageCount } }
    organization {
      chats(last: 10, filter: { type: VISITOR, isEnded: false }) { nodes { id userMessageCount } }
      rooms(first: 10) { nodes { id } }
    }
  }
}`;

/// Opens a connection. `onRefused` is told why, when the server does not take the token.
export function connect(token, onRefused) {
  const headers = { Authorization: `Bearer ${token}` };

  async function post(input, init) {
    const response = await fetch(input, init);
    if (response.status === 401) {
      const { errors } = await response.clone().json();
      onRefused(`The server refused this token: ${errors[0].message}`);
    }
    return response;
  }

  /// Who the token is for, and what to try things with: the id of a chat, their own rather than others', and one in
  /// which people talk rather than one that waits; and those of the rooms whose queues they may follow.
  async function whoAmI() {
    const body = JSON.stringify({ query: VIEWER });
    const response = await post(url, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body,
    });
    const { viewer } = (await response.json()).data ?? {};
    if (!viewer) return null;
    const chats = [...viewer.inbox.nodes, ...(viewer.organization.chats?.nodes ?? [])];
    const chat = chats.find(({ userMessageCount }) => userMessageCount > 0) ?? chats[0];
    const { id, role, actor, organization } = viewer;
    const roomIds = organization.rooms?.nodes.map((room) => room.id) ?? [];
    return { id, role, name: actor?.displayName ?? "API client", chatId: chat?.id, roomIds };
  }

  const story = tell();
  let pongIsLate;
  const client = createClient({
    url: socketUrl.href,
    connectionParams: headers,
    keepAlive: PING_EVERY,
    retryAttempts: Infinity,
    retryWait,
    // A server that is down is an error event rather than a close event: that is worth a retry, too.
    shouldRetry: (event) => event.code !== REFUSED,
    on: {
      connecting: story.connecting,
      connected: story.connected,
      closed(event) {
        clearTimeout(pongIsLate);
        story.closed();
        // The socket says only that the token is refused; the door says why.
        if (event.code === REFUSED) void whoAmI();
      },
      ping(isReceived) {
        if (!isReceived) pongIsLate = setTimeout(() => client.terminate(), PONG_WITHIN);
      },
      pong: () => clearTimeout(pongIsLate),
    },
  });

  const resume = resuming(client);
  function subscribe(payload, sink) {
    story.began();
    return resume(payload, {
      next(result) {
        story.received(result);
        sink.next(result);
      },
      error(error) {
        story.ended();
        sink.error(error);
      },
      complete() {
        story.ended();
        sink.complete();
      },
    });
  }

  return {
    whoAmI,
    fetcher: createGraphiQLFetcher({
      url: url.href,
      headers,
      fetch: post,
      wsClient: { subscribe },
      enableIncrementalDelivery: false,
    }),
    close: () => void client.dispose(),
  };
}

/// Waits before another try: longer from try to try up to five seconds, and never as long as the others, so
/// that a server that comes back does not meet everybody at once.
function retryWait(retries) {
  const most = Math.min(5_000, 250 * 2 ** retries);
  return new Promise((resolve) => setTimeout(resolve, most * (0.5 + Math.random() / 2)));
}
