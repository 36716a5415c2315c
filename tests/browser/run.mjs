/// GraphiQL in a real browser, from the URLs that the server prints: two people talk, the server is killed and
/// comes back, nothing is missing, and nothing outside is asked for. `ANTEROOM_BIN` is the binary,
/// `ANTEROOM_CHROMIUM` the browser, if it is none of the usual ones, and `ANTEROOM_SCREENSHOTS` a folder for
/// pictures, which are not taken without it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail, openBrowser } from "./browser.mjs";
import { Page } from "./page.mjs";
import { Server } from "./server.mjs";

const { ANTEROOM_BIN, ANTEROOM_SCREENSHOTS } = process.env;

const deadline = setTimeout(() => fail("not done after 3 minutes"), 180_000);
const folder = mkdtempSync(join(tmpdir(), "anteroom-browser-"));
const server = new Server(ANTEROOM_BIN, folder);
process.once("exit", () => {
  server.child?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

async function screenshot({ page }, name) {
  if (!ANTEROOM_SCREENSHOTS) return;
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(ANTEROOM_SCREENSHOTS, `${name}.png`) });
}

/// Sends as the visitor, without the browser.
async function send(chatId, text) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.tokenOf("visitor")}`, "content-type": "application/json" },
    body: JSON.stringify({
      query: "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { userErrors { message } } }",
      variables: { input: { chatId, text } },
    }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  assert.deepEqual(data.sendMessage.userErrors, []);
}

async function sendFrom(page, chatId, text) {
  await page.setVariables({ chatId, text });
  await page.run();
  await page.expectAnswer(text);
}

/// The story: the operator follows a chat, the visitor writes, and the server dies in between.
async function talk(context) {
  const operator = await Page.open(context, server.guests.operator);
  await operator.expectSignedInAs("operator");
  await operator.expectTokenHidden(server.tokenOf("operator"));
  await operator.run();
  await operator.expectAnswer("OPERATOR");
  await operator.openTab("ChatEvents");
  const { chatId } = await operator.variables();
  await operator.run();
  await operator.expectStatus("Live");
  await operator.expectLogged("ChatReset");

  const visitor = await Page.open(context, server.guests.visitor);
  await visitor.expectSignedInAs("visitor");
  await visitor.expectTokenHidden(server.tokenOf("visitor"));
  await visitor.openTab("SendMessage");
  assert.equal((await visitor.variables()).chatId, chatId, "the examples of both are about the same chat");
  await sendFrom(visitor, chatId, "Is the doctor on time?");
  await operator.expectLogged("Is the doctor on time?");
  await operator.expectAnswer("Is the doctor on time?");

  await server.kill();
  await operator.expectStatus("Reconnecting");
  await server.start();
  await send(chatId, "I can wait.");
  await operator.expectLogged("I can wait.");
  await operator.expectStatus(/Live: resumed at .* after [\d.]+ s/);
  await sendFrom(visitor, chatId, "No hurry at all.");
  await operator.expectAnswer("No hurry at all.");

  const heard = (await operator.log("event")).filter((line) => line.startsWith("MessageAdded"));
  const said = ["Is the doctor on time?", "I can wait.", "No hurry at all."];
  const texts = heard.map((line) => line.split(" · ").find((part) => said.includes(part)));
  assert.deepEqual(texts, said, "everything came once and in order");
  assert.equal((await operator.log("lost")).length, 1);
  assert.equal((await operator.log("resumed")).length, 1);
  await screenshot(operator, "graphiql");
  return operator;
}

/// Several tokens in one tab, and tokens that are not taken.
async function change(context, operator) {
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
  await stranger.expectProblem("A valid bearer token is needed.");
  const nobody = await Page.open(context, `${server.url}/`);
  await nobody.page.getByText("To get one:").waitFor();
  await nobody.page.getByLabel("Token").fill(server.tokenOf("admin"));
  await nobody.page.getByRole("button", { name: "Use it" }).click();
  await nobody.expectSignedInAs("admin");
}

const wrong = [];

try {
  await server.start();
  assert.match(server.guests.operator, /graphiql#token=/, "the server was built without GraphiQL");
  const { browser, context, asked } = await openBrowser(wrong);
  const operator = await talk(context);
  await change(context, operator);
  await browser.close();

  const hosts = new Set(asked.filter((url) => !url.startsWith("data:")).map((url) => new URL(url).host));
  assert.deepEqual([...hosts], [new URL(server.url).host], "nothing outside was asked for");
  const tokens = Object.keys(server.guests).map((who) => server.tokenOf(who));
  const hasToken = (text) => tokens.some((token) => text.includes(token));
  assert.ok(!asked.some((url) => hasToken(url.split("#")[0])), "no token was sent in a URL");
  const log = server.output.filter((line) => !Object.values(server.guests).includes(line.trim()));
  assert.ok(!log.some(hasToken), "no token is in the log");
  const expected = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|status of 401/;
  assert.deepEqual(wrong.filter((text) => !expected.test(text)), [], "nothing went wrong in the page");
  console.log(`browser: resumed after kill -9, nothing missing; ${asked.length} requests, all to this server`);
} catch (error) {
  fail([error?.stack ?? error, ...wrong].join("\n"));
}
clearTimeout(deadline);
process.exit(0);
