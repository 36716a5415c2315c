/// The page in `examples/widget` in a real browser, on a site of its own: a visitor writes, an operator answers, a reload
/// and a server that is killed lose nothing, and a page of another site is refused.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { expectNoOtherErrors, play } from "./stage.mjs";

const PAGE = readFileSync(new URL("../../examples/widget/index.html", import.meta.url));

/// A site that has the page; its origin.
async function site() {
  const serving = createServer((_, response) => response.setHeader("content-type", "text/html").end(PAGE));
  await new Promise((resolve) => serving.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${serving.address().port}`;
}

/// The demo's first room, open for pages of a site: its widget key.
async function openRoomFor(server, origin) {
  const { organization } = await server.ask("admin", "{ organization { rooms(first: 1) { nodes { id allowedOrigins } } } }");
  const [room] = organization.rooms.nodes;
  assert.ok(room.allowedOrigins.includes("http://localhost:8080"), "the demo can be tried as the guide says");
  const { updateRoom } = await server.ask(
    "admin",
    `mutation ($input: UpdateRoomInput!) {
      updateRoom(input: $input) { room { widgetKey } userErrors { message } } }`,
    { input: { roomId: room.id, allowedOrigins: [origin] } },
  );
  return updateRoom.room.widgetKey;
}

/// The chat whose latest message has this text.
async function chatWith(server, text) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { organization } = await server.ask(
      "operator",
      `{ organization { chats(first: 5, orderBy: { field: UPDATED_AT, direction: DESC }) {
        nodes { id visitor { id currentPage { url } } lastMessage { text } } } } }`,
    );
    const found = organization.chats.nodes.find((chat) => chat.lastMessage?.text === text);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody has written ${text}`);
}

const countVisitors = async (server) =>
  (await server.ask("admin", "{ organization { visitors { totalCount } } }")).organization.visitors.totalCount;

async function write(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator("#messages .own", { hasText: text }).waitFor();
}

const texts = (page) =>
  page.locator("#messages li").evaluateAll((items) => items.map((item) => item.lastChild.textContent));

/// The story of a visitor on a site that may.
async function visit(server, context, origin, key) {
  const url = `${origin}/?${new URLSearchParams({ server: server.url, key })}`;
  const before = await countVisitors(server);
  const page = await context.newPage();
  await page.goto(url);
  assert.equal(await countVisitors(server), before, "who has written nothing is nobody yet");
  await write(page, "Do you ship to Iceland?");
  const chat = await chatWith(server, "Do you ship to Iceland?");
  assert.equal(chat.visitor.currentPage.url, `${origin}/`);
  await server.send("operator", chat.id, "We do, by sea.");
  await page.locator("#messages .theirs", { hasText: "We do, by sea." }).waitFor();

  await page.reload();
  await page.locator("#messages .theirs", { hasText: "We do, by sea." }).waitFor();
  const tab = await context.newPage();
  await tab.goto(url);
  await tab.locator("#messages .own", { hasText: "Iceland" }).waitFor();

  await server.kill();
  await page.getByRole("status").filter({ hasText: "Reconnecting" }).waitFor();
  await server.start();
  await server.send("operator", chat.id, "It takes a week.");
  for (const shown of [page, tab]) {
    await shown.locator("#messages .theirs", { hasText: "It takes a week." }).waitFor();
  }
  await write(page, "Thank you!");
  await tab.locator("#messages .own", { hasText: "Thank you!" }).waitFor();
  const said = ["Do you ship to Iceland?", "We do, by sea.", "It takes a week.", "Thank you!"];
  for (const shown of [page, tab]) assert.deepEqual(await texts(shown), said, "everything once and in order");
  assert.equal((await chatWith(server, "Thank you!")).visitor.id, chat.visitor.id, "they are who they were");

  const { endChat } = await server.ask(
    "operator",
    "mutation ($input: EndChatInput!) { endChat(input: $input) { userErrors { message } } }",
    { input: { chatId: chat.id } },
  );
  assert.deepEqual(endChat.userErrors, []);
  await write(page, "One more question");
  const next = await chatWith(server, "One more question");
  assert.notEqual(next.id, chat.id, "a message after the end of the chat starts another chat");
  await server.send("operator", next.id, "Go ahead.");
  await page.locator("#messages .theirs", { hasText: "Go ahead." }).waitFor();
  assert.deepEqual(await texts(page), [...said, "One more question", "Go ahead."]);
  assert.equal(await countVisitors(server), before + 1);
}

/// A page of another site, with the same key.
async function intrude(server, context, origin, key) {
  const before = await countVisitors(server);
  const page = await context.newPage();
  await page.goto(`${origin}/?${new URLSearchParams({ server: server.url, key })}`);
  await page.getByLabel("Message").fill("Let me in");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("status").filter({ hasText: "Not sent" }).waitFor();
  assert.equal(await page.locator("#messages li").count(), 0);
  assert.equal(await countVisitors(server), before, "nobody was signed in");
}

await play("widget", async ({ server, context, asked, wrong }) => {
  const [shop, other] = [await site(), await site()];
  const key = await openRoomFor(server, shop);
  await visit(server, context, shop, key);
  expectNoOtherErrors(wrong);
  await intrude(server, context, other, key);
  assert.ok(wrong.some((text) => text.includes("CORS")), "the browser kept the page out");
  assert.ok(!asked.some((url) => /eyJ|rt_/.test(url)), "no token was sent in a URL");
  return "one visitor over a reload, two tabs and kill -9; a page of another site was refused";
});
