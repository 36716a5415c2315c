/// Runs the contract with front ends: the real binary, the reference clients. `ANTEROOM_BIN` is the binary.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { reconnecting } from "./resume-link.mjs";
import { Server } from "./server.mjs";
import { collect, expectAll, main, sendMessage, setting, sseClient, startChat, until, wsClient } from "./support.mjs";

const SCRIPTS = ["audit.mjs", "graphql-ws.mjs", "graphql-sse.mjs", "webhook.mjs"];

function script(name, env) {
  return new Promise((resolve, reject) => {
    const path = fileURLToPath(new URL(name, import.meta.url));
    const child = spawn(process.execPath, [path], { env: { ...process.env, ...env }, stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${name} failed; see above`))));
  });
}

/// The server ends and comes back while both reference clients are subscribed: they resume by themselves.
async function restart(server, tokens, signal) {
  const { url } = server;
  const { chatId, after } = await startChat(url, tokens.admin, tokens.visitor);
  const clients = [wsClient(url, tokens.operator, reconnecting), sseClient(url, tokens.operator)];
  const readers = clients.map((client) => collect(client, chatId, after));
  const expected = [];
  const say = async (text) => {
    await sendMessage(server.url, tokens.visitor, chatId, text);
    expected.push(text);
  };
  for (let index = 1; index <= 10; index += 1) await say(`before ${index}`);
  await until("both read the first message", () => readers.every(({ texts }) => texts.length > 0));
  await server.end(signal);
  await server.start();
  for (let index = 1; index <= 10; index += 1) await say(`after ${index}`);
  for (const reader of readers) await expectAll(reader, expected);
  for (const client of clients) client.dispose();
  console.log(`restart after ${signal}: both clients resumed by themselves, nothing missing`);
}

const folder = mkdtempSync(join(tmpdir(), "anteroom-contract-"));
const server = new Server(setting("ANTEROOM_BIN"), folder);
process.once("exit", () => {
  server.child?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

await main("contract", async () => {
  const admin = server.init();
  const url = await server.start();
  const tokens = await server.people(admin);
  const env = {
    ANTEROOM_URL: url,
    ANTEROOM_ADMIN_TOKEN: tokens.admin,
    ANTEROOM_OPERATOR_TOKEN: tokens.operator,
    ANTEROOM_VISITOR_TOKEN: tokens.visitor,
  };
  for (const name of SCRIPTS) await script(name, env);
  for (const signal of ["SIGKILL", "SIGTERM"]) await restart(server, tokens, signal);
  return "kept";
});
