/// An operator's desk in GraphiQL: three visitors wait, an operator takes the one who waits longest, an admin who tries
/// is told who has them, and the queue's feed shows each change.

import assert from "node:assert/strict";
import { Page } from "./page.mjs";
import { play, screenshot } from "./stage.mjs";

const START = `mutation ($input: StartChatInput!) {
  startChat(input: $input) { chat { id } userErrors { message } } }`;
const ISSUE = "mutation ($input: IssueTokenInput!) { issueToken(input: $input) { token userErrors { message } } }";

/// The chats of three visitors who have just come to a room, longest wait first.
async function threeWait(server) {
  const found = await server.ask(
    "admin",
    "{ organization { rooms(first: 1) { nodes { id } } visitors(first: 20) { nodes { id } } } }",
  );
  const { rooms, visitors } = found.organization;
  const chats = [];
  for (const [number, { id }] of visitors.nodes.slice(-3).entries()) {
    const { issueToken } = await server.ask("admin", ISSUE, { input: { subject: { actorId: id } } });
    const input = { roomId: rooms.nodes[0].id, message: `Visitor ${number + 1} waits` };
    chats.push((await server.ask(issueToken.token, START, { input })).startChat.chat.id);
  }
  return chats;
}

async function take(page, chatId) {
  await page.openTab("TakeChat");
  await page.setVariables({ chatId });
  await page.runOperation("TakeChat");
}

await play("desk", async ({ server, context, wrong }) => {
  const desk = await Page.open(context, server.guests.operator);
  await desk.expectSignedInAs("operator");
  await desk.openTab("Desk");
  await desk.run();
  await desk.expectLogged("ViewerResetEvent");

  const [oldest, second, third] = await threeWait(server);
  for (const chat of [oldest, second, third]) await desk.expectLogged(`QueueChatAddedEvent · ${chat}`);

  const operator = await Page.open(context, server.guests.operator);
  await operator.expectSignedInAs("operator");
  await operator.openTab("Queue");
  const rooms = (await operator.ask()).organization.rooms.nodes;
  const ours = [oldest, second, third];
  const waiting = rooms.flatMap((room) => room.chats.nodes.map(({ id }) => id)).filter((id) => ours.includes(id));
  assert.deepEqual(waiting, ours, "who waits longest comes first");

  await take(operator, oldest);
  await operator.expectAnswer("Olga");
  await desk.expectLogged(`InboxChatAddedEvent · ${oldest}`);
  const admin = await Page.open(context, server.guests.admin);
  await admin.expectSignedInAs("admin");
  await take(admin, oldest);
  await admin.expectAnswer("CHAT_TAKEN");
  await admin.expectAnswer("Olga");

  await operator.openTab("SendMessage");
  await operator.setVariables({ chatId: oldest, text: "How can I help?" });
  await operator.run();
  await operator.expectAnswer("How can I help?");
  await desk.expectLogged(`QueueChatRemovedEvent · ${oldest}`);
  await take(admin, second);
  await admin.expectAnswer("Ada");
  await desk.expectLogged(`ChatChangedEvent · ${second}`);
  await screenshot(desk, "desk");
  await screenshot(admin, "taken");
  assert.deepEqual(wrong, [], "nothing went wrong in the page");
  return "the oldest of three was taken once, the second operator was told by whom, and the feed showed it";
});
