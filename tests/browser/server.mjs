/// The real binary with its demo organization, to be killed and started again.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/// The surroundings without settings of a server.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("ANTEROOM_")));

export class Server {
  /// URLs that the first start prints, by whom they are for: admin, operator, visitor.
  guests = {};
  /// All that it said, on both streams.
  output = [];
  #port = 0;

  constructor(binary, folder) {
    this.binary = binary;
    this.folder = folder;
  }

  /// Starts it, at first on a free port and then always on that one.
  async start() {
    const listen = `127.0.0.1:${this.#port}`;
    const child = spawn(this.binary, ["--data", this.folder, "--listen", listen], { env });
    this.child = child;
    this.ended = new Promise((resolve) => child.once("exit", resolve));
    const isFirst = this.#port === 0;
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(this.#failure("did not start within 60 s")), 60_000);
      const settle = (how, value) => {
        clearTimeout(late);
        how(value);
      };
      const hear = (line) => {
        this.output.push(line);
        this.url = line.match(/listening on (http:\/\/[\d.]+:\d+)/)?.[1] ?? this.url;
        const who = this.output.at(-2)?.match(/an? (admin|operator|visitor)$/)?.[1];
        if (who) this.guests[who] = line.trim();
        if (this.url && (!isFirst || Object.keys(this.guests).length === 3)) settle(resolve);
      };
      createInterface(child.stdout).on("line", hear);
      createInterface(child.stderr).on("line", hear);
      child.once("error", (error) => settle(reject, error));
      child.once("exit", () => settle(reject, this.#failure("ended at its start")));
    });
    this.#port = Number(new URL(this.url).port);
  }

  /// Ends it as bad luck would: no warning, no goodbye.
  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
    this.url = undefined;
  }

  /// Asks as one of the guests, or with a token, without the browser; nothing may be refused.
  async ask(who, query, variables) {
    const token = this.guests[who] ? this.tokenOf(who) : who;
    const response = await fetch(`${this.url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    for (const payload of Object.values(data)) assert.deepEqual(payload?.userErrors ?? [], []);
    return data;
  }

  /// Sends a message as somebody, without the browser.
  async send(who, chatId, text) {
    const query = "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { userErrors { message } } }";
    await this.ask(who, query, { input: { chatId, text } });
  }

  tokenOf(who) {
    return new URLSearchParams(new URL(this.guests[who]).hash.slice(1)).get("token");
  }

  /// A token of somebody that was good until a minute ago.
  expiredTokenOf(who) {
    const [head, body] = this.tokenOf(who).split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url"));
    claims.exp = Math.floor(Date.now() / 1000) - 60;
    const signed = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
    const secret = readFileSync(join(this.folder, "secret"));
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  }

  #failure(what) {
    return new Error(`the server ${what}. It said:\n${this.output.slice(-20).join("\n")}`);
  }
}
