/// A group chat of two users and a visitor in GraphiQL: an image, an edit, a note that the visitor never sees, what is
/// unread falls as they read, and typing comes and goes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Page } from "./page.mjs";
import { play, screenshot } from "./stage.mjs";

const PICTURE = readFileSync(new URL("../../docs/images/graphiql.png", import.meta.url));
const CREATE = `mutation ($input: CreateGroupChatInput!) {
  createGroupChat(input: $input) { chat { id } userErrors { message } } }`;

/// Opens a browser's tab as somebody, at one of the examples.
async function at(context, server, who, tab) {
  const page = await Page.open(context, server.guests[who]);
  await page.expectSignedInAs(who);
  if (tab) await page.openTab(tab);
  return page;
}

async function createGroup(server) {
  const me = async (who) => (await server.ask(who, "{ viewer { actor { id } } }")).viewer.actor.id;
  const participantIds = [await me("admin"), await me("visitor")];
  const input = { name: "Your knee", participantIds };
  return (await server.ask("operator", CREATE, { input })).createGroupChat.chat.id;
}

/// Follows the group.
async function follow(context, server, who, chatId) {
  const page = await at(context, server, who, "ChatEvents");
  await page.setVariables({ chatId });
  await page.run();
  await page.expectLogged("ChatResetEvent");
  return page;
}

async function sendPicture(page, chatId) {
  await page.openTab("Upload");
  await page.setVariables({ chatId, size: PICTURE.length });
  const { attachment, uploadUrl } = (await page.ask("Upload")).createUpload;
  const put = await fetch(uploadUrl, { method: "PUT", headers: { "content-type": "image/png" }, body: PICTURE });
  assert.equal(put.status, 204, await put.text());
  await page.setVariables({ chatId, attachmentId: attachment.id });
  const { attachments } = (await page.ask("SendFile")).sendMessage.messageEdge.node;
  const fetched = await fetch(attachments[0].url);
  assert.equal(Buffer.compare(Buffer.from(await fetched.arrayBuffer()), PICTURE), 0, "the picture is whole");
}

await play("group", async ({ server, context, wrong }) => {
  const chatId = await createGroup(server);
  const olga = await follow(context, server, "operator", chatId);
  const vera = await follow(context, server, "visitor", chatId);
  const ada = await at(context, server, "admin", "AddNote");
  const phone = await at(context, server, "visitor", "SendMessage");

  await phone.setVariables({ chatId, text: "It hurts agian" });
  const messageId = (await phone.ask()).sendMessage.messageEdge.node.id;
  await olga.expectLogged("It hurts agian");
  await phone.openTab("AddNote");
  await phone.setVariables({ messageId });
  await phone.runOperation("Edit");
  for (const page of [olga, vera]) await page.expectLogged(/MessageChangedEvent.*Hello again!/);
  await sendPicture(phone, chatId);
  for (const page of [olga, vera]) await page.expectLogged("My knee");

  await ada.setVariables({ chatId });
  await ada.runOperation("AddNote");
  await ada.expectAnswer("He was here in May.");
  await olga.expectLogged("He was here in May.");

  const operator = await at(context, server, "operator", "Start");
  const { inbox } = (await operator.ask()).viewer;
  const [latest] = inbox.nodes;
  assert.deepEqual([latest.id, latest.viewerParticipation.unreadCount], [chatId, 3]);
  await operator.openTab("AddNote");
  await operator.setVariables({ chatId });
  const read = (await operator.ask("ReadAll")).markRead;
  assert.equal(read.participation.unreadCount, 0);
  await vera.expectLogged("ParticipationChangedEvent · Olga");
  await operator.runOperation("Type");
  await vera.expectLogged("TypingChangedEvent · Olga");
  await vera.expectLogged(/TypingChangedEvent$/);

  const heard = await vera.log("event");
  assert.ok(!heard.some((line) => line.includes("in May")), "the visitor hears nothing of the note");
  await phone.openTab("ChatWithMessages");
  await phone.setVariables({ chatId });
  const { messages } = (await phone.ask()).chat;
  assert.deepEqual(messages.nodes.map(({ text }) => text), ["Hello again!", "My knee"]);
  await screenshot(olga, "group");
  await screenshot(vera, "group-visitor");
  assert.deepEqual(wrong, [], "nothing went wrong in the page");
  return "a picture, an edit and a note; what was unread is read, and typing came and went";
});
