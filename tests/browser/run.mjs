/// GraphiQL in a real browser, from the URLs that the server prints: two people talk, the server is killed and
/// comes back, nothing is missing, and nothing outside is asked for.

import assert from "node:assert/strict";
import { Page } from "./page.mjs";
import { expectNoOtherErrors, play, screenshot } from "./stage.mjs";

async function sendFrom(page, chatId, text) {
  await page.setVariables({ chatId, text });
  await page.run();
  await page.expectAnswer(text);
}

/// The story: the operator follows a chat, the visitor writes, and the server dies in between.
async function talk(server, context) {
  const operator = await Page.open(context, server.guests.operator);
  await operator.expectSignedInAs("operator");
  await operator.expectTokenHidden(server.tokenOf("operator"));
  await operator.run();
  await operator.expectAnswer("OPERATOR");
  await operator.openTab("ChatEvents");
  const { chatId } = await operator.variables();
  await operator.run();
  await operator.expectStatus("Live");
  await operator.expectLogged("ChatResetEvent");

  const visitor = await Page.open(context, server.guests.visitor);
  await visitor.expectSignedInAs("visitor");
  await visitor.expectTokenHidden(server.tokenOf("visitor"));
  await visitor.openTab("SendMessage");
  assert.equal((await visitor.variables()).chatId, chatId, "the examples of both are about the same chat");
  await sendFrom(visitor, chatId, "Is the doctor on time?");
  await operator.expectLogged("Is the doctor on time?");
  // The pane shows the last event alone, and others may follow the message.
  await operator.expectAnswer(/(MessageAdded|ParticipationChanged|PresenceChanged)Event/);

  await server.kill();
  await operator.expectStatus("Reconnecting");
  await server.start();
  await server.send("visitor", chatId, "I can wait.");
  await operator.expectLogged("I can wait.");
  await operator.expectStatus(/Live: resumed at .* after [\d.]+ s/);
  await sendFrom(visitor, chatId, "No hurry at all.");
  await operator.expectLogged("No hurry at all.");

  const heard = (await operator.log("event")).filter((line) => line.startsWith("MessageAddedEvent"));
  const said = ["Is the doctor on time?", "I can wait.", "No hurry at all."];
  const texts = heard.map((line) => line.split(" · ").find((part) => said.includes(part)));
  assert.deepEqual(texts, said, "everything came once and in order");
  assert.equal((await operator.log("lost")).length, 1);
  assert.equal((await operator.log("resumed")).length, 1);
  await screenshot(operator, "graphiql");
  return operator;
}

/// Several tokens in one tab, and tokens that are not taken.
async function change(server, context, operator) {
  await operator.page.goto(server.guests.visitor);
  await operator.expectSignedInAs("visitor");
  await operator.expectTokenHidden(server.tokenOf("visitor"));
  await operator.openTab("Start");
  await operator.run();
  await operator.expectAnswer("VISITOR");
  await operator.switchTo("Olga Operator · operator");
  await operator.run();
  await operator.expectAnswer("OPERATOR");

  await operator.page.goto(`${server.url}/graphiql#token=${server.expiredTokenOf("admin")}`);
  await operator.expectProblem("The token has expired.");
  await operator.switchTo("Olga Operator · operator");
  const problem = operator.page.getByRole("alert").filter({ hasText: "The token has expired." });
  await problem.waitFor({ state: "detached" });

  const stranger = await Page.open(context, `${server.url}/graphiql#token=nonsense`);
  await stranger.expectProblem("The request needs a valid bearer token.");
  const nobody = await Page.open(context, `${server.url}/`);
  await nobody.page.getByText("To get one:").waitFor();
  await nobody.page.getByLabel("Token").fill(server.tokenOf("admin"));
  await nobody.page.getByRole("button", { name: "Use it" }).click();
  await nobody.expectSignedInAs("admin");
}

await play("graphiql", async ({ server, context, asked, wrong }) => {
  assert.match(server.guests.operator, /graphiql#token=/, "the server was built without GraphiQL");
  const operator = await talk(server, context);
  await change(server, context, operator);

  const hosts = new Set(asked.filter((url) => !url.startsWith("data:")).map((url) => new URL(url).host));
  assert.deepEqual([...hosts], [new URL(server.url).host], "nothing outside was asked for");
  const tokens = Object.keys(server.guests).map((who) => server.tokenOf(who));
  const hasToken = (text) => tokens.some((token) => text.includes(token));
  assert.ok(!asked.some((url) => hasToken(url.split("#")[0])), "no token was sent in a URL");
  const log = server.output.filter((line) => !Object.values(server.guests).includes(line.trim()));
  assert.ok(!log.some(hasToken), "no token is in the log");
  expectNoOtherErrors(wrong, /status of 401/);
  return `resumed after kill -9, nothing missing; ${asked.length} requests, all to this server`;
});
