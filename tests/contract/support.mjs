/// What the scripts share: who calls, how they call, and a network that breaks.

import assert from "node:assert/strict";
import net from "node:net";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";
import { reconnecting, resuming } from "./resume-link.mjs";

/// A setting of the surroundings that a script cannot do without.
export function setting(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set. \`node run.mjs\` sets everything; see there.`);
    process.exit(2);
  }
  return value;
}

/// Runs a script's checks; says what failed, and fails.
export async function main(name, checks) {
  const deadline = setTimeout(() => {
    console.error(`${name}: FAILED: not done after 90 s`);
    process.exit(1);
  }, 90_000);
  try {
    const done = await checks();
    console.log(`${name}: ${done}`);
  } catch (error) {
    console.error(`${name}: FAILED: ${error?.stack ?? JSON.stringify(error)}`);
    process.exit(1);
  }
  clearTimeout(deadline);
  process.exit(0);
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const between = (least, most) => least + Math.random() * (most - least);

/// Waits until `check` answers something, and answers that.
export async function until(what, check, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(10)) {
    const found = check();
    if (found) return found;
  }
  throw new Error(`not after ${seconds} s: ${typeof what === "function" ? what() : what}`);
}

/// Runs a query or a mutation over HTTP and answers its data.
export async function call(url, token, query, variables = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ query, variables }),
  });
  return dataOf(await response.json());
}

/// The data of an answer without errors, also without those that the domain reports.
export function dataOf(answer) {
  assert.equal(answer.errors, undefined, JSON.stringify(answer));
  for (const part of Object.values(answer.data)) {
    assert.deepEqual(part?.userErrors ?? [], [], JSON.stringify(answer));
  }
  return answer.data;
}

/// Starts a chat as the visitor; `after` is the cursor of its first message.
export async function startChat(url, adminToken, visitorToken) {
  const { organization } = await call(
    url,
    adminToken,
    "{ organization { rooms(first: 1) { nodes { id } } } }",
  );
  const { startChat } = await call(
    url,
    visitorToken,
    `mutation ($input: StartChatInput!) {
       startChat(input: $input) { userErrors { message } chat { id } messageEdge { cursor } }
     }`,
    { input: { roomId: organization.rooms.nodes[0].id, message: "Hello" } },
  );
  return { chatId: startChat.chat.id, after: startChat.messageEdge.cursor };
}

export async function sendMessage(url, token, chatId, text) {
  await call(
    url,
    token,
    "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { userErrors { message } } }",
    { input: { chatId, text } },
  );
}

/// A reference client for WebSockets that comes back soon.
export function wsClient(url, token, options = {}) {
  return createWsClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    ...reconnecting,
    retryWait: () => sleep(between(5, 40)),
    ...options,
  });
}

/// A reference client for server-sent events that comes back soon.
export function sseClient(url, token, options = {}) {
  return createSseClient({
    url: `${url}/graphql`,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 10_000,
    retry: () => sleep(between(5, 40)),
    ...options,
  });
}

/// Collects the texts of a chat's new messages with a client that resumes by itself.
export function collect(client, chatId, after) {
  const texts = [];
  const collected = { texts, end: null, stop: null };
  collected.stop = resuming(client)(
    {
      query: `subscription ($chatId: ID!, $after: String) {
        messageAdded(chatId: $chatId, after: $after) { node { text } }
      }`,
      variables: { chatId, after },
    },
    {
      next: (answer) => texts.push(dataOf(answer).messageAdded.node.text),
      error: (error) => (collected.end = error instanceof Error ? error.stack : JSON.stringify(error)),
      complete: () => (collected.end = "the subscription is complete"),
    },
  );
  return collected;
}

/// Waits for every text, and checks that each came once and in order.
export async function expectAll(collected, expected) {
  const { texts } = collected;
  await until(
    () => `${texts.length} of ${expected.length} messages came; the end: ${collected.end}`,
    () => texts.length >= expected.length || collected.end,
  );
  assert.equal(collected.end, null, `the subscription ended after ${texts.length} messages`);
  await sleep(300);
  assert.deepEqual(texts, expected, "every message comes exactly once and in order");
  collected.stop();
}

/// A TCP proxy in front of the server. `cut` breaks all its connections, sometimes in the middle of a frame.
export async function proxy(url) {
  const target = new URL(url);
  const pairs = new Set();
  let cuts = 0;
  const server = net.createServer((near) => {
    const far = net.connect(Number(target.port), target.hostname);
    const pair = { isTorn: false, end: () => [near, far].forEach((socket) => socket.destroy()) };
    pairs.add(pair);
    near.on("data", (chunk) => far.write(chunk));
    far.on("data", (chunk) => {
      if (!pair.isTorn) return near.write(chunk);
      near.write(chunk.subarray(0, chunk.length / 2), () => pair.end());
    });
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", () => pair.end());
      socket.on("close", () => {
        pairs.delete(pair);
        pair.end();
      });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cuts: () => cuts,
    cut() {
      for (const pair of pairs) {
        cuts += 1;
        if (Math.random() < 0.5) pair.isTorn = true;
        else pair.end();
      }
    },
    close() {
      server.close();
      for (const pair of pairs) pair.end();
    },
  };
}

/// A visitor sends 200 messages while the connection of the one who reads them breaks again and again.
export async function surviveCuts(url, adminToken, visitorToken, makeClient) {
  const { chatId, after } = await startChat(url, adminToken, visitorToken);
  const network = await proxy(url);
  const client = makeClient(network.url, adminToken);
  const collected = collect(client, chatId, after);
  const expected = Array.from({ length: 200 }, (_, index) => `message ${index + 1}`);
  let isSent = false;
  const breaking = (async () => {
    while (!isSent) {
      await sleep(between(10, 150));
      network.cut();
    }
  })();
  for (const text of expected) {
    await sendMessage(url, visitorToken, chatId, text);
    if (Math.random() < 0.2) await sleep(between(0, 40));
  }
  isSent = true;
  await breaking;
  await expectAll(collected, expected);
  client.dispose();
  const cuts = network.cuts();
  network.close();
  assert.ok(cuts > 5, `the connection was cut only ${cuts} times`);
  return cuts;
}
