/// The real binary, to be killed and started again.

import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { call } from "./support.mjs";

/// The surroundings without settings of a server.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("ANTEROOM_")));

export class Server {
  constructor(binary, folder) {
    this.binary = binary;
    this.folder = folder;
    this.port = 0;
    this.log = [];
  }

  /// Starts it, at first on a free port and then always on that one; answers its address.
  async start() {
    const listen = `127.0.0.1:${this.port}`;
    const settings = ["--no-demo", "--rate-limit", "0", "--webhook-allow", "127.0.0.0/8"];
    const child = spawn(this.binary, ["--data", this.folder, ...settings, "--listen", listen], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child = child;
    this.ended = new Promise((resolve) => child.once("exit", resolve));
    const lines = createInterface(child.stderr);
    this.url = await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(this.failure("did not listen within 30 s")), 30_000);
      const settle = (how, value) => {
        clearTimeout(late);
        how(value);
      };
      lines.on("line", (line) => {
        this.log.push(line);
        // A log on a terminal is coloured.
        const found = line.match(/listening on (http:\/\/[\d.]+:\d+)/);
        if (found) settle(resolve, found[1]);
      });
      child.once("error", (error) => settle(reject, error));
      child.once("exit", () => settle(reject, this.failure("ended before it listened")));
    });
    this.port = Number(new URL(this.url).port);
    return this.url;
  }

  failure(what) {
    return new Error(`the server ${what}. Its log:\n${this.log.slice(-20).join("\n")}`);
  }

  /// Ends it, with SIGKILL as bad luck would, with SIGTERM as an operator would.
  async end(signal) {
    this.child?.kill(signal);
    await this.ended;
  }

  /// Makes an organization with its first admin, before the first start.
  init() {
    const words = ["init", "--tenant", "contract", "--instance", "main", "--admin", "Ada", "--json"];
    const { status, stdout, stderr, error } = spawnSync(this.binary, [...words, "--data", this.folder], {
      env,
      encoding: "utf8",
    });
    if (error || status !== 0) throw new Error(`init failed: ${error ?? stderr}`);
    return JSON.parse(stdout).token;
  }

  /// Makes a room, an operator and a visitor; answers everybody's tokens.
  async people(admin) {
    const { createUser, upsertVisitor } = await call(
      this.url,
      admin,
      `mutation {
         createRoom(input: { name: "Reception" }) { userErrors { message } }
         createUser(input: { name: "Olga", role: OPERATOR }) { userErrors { message } user { id } }
         upsertVisitor(input: { externalId: "vera" }) { userErrors { message } visitor { id } }
       }`,
    );
    const token = async (actorId) => {
      const { issueToken } = await call(
        this.url,
        admin,
        "mutation ($input: IssueTokenInput!) { issueToken(input: $input) { userErrors { message } token } }",
        { input: { subject: { actorId } } },
      );
      return issueToken.token;
    };
    return {
      admin,
      operator: await token(createUser.user.id),
      visitor: await token(upsertVisitor.visitor.id),
    };
  }
}
