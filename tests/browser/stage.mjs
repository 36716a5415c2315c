/// A story in a real browser, on a real server with its demo organization: both are gone when it is over.
/// `ANTEROOM_BIN` is the binary, `ANTEROOM_CHROMIUM` the browser, if it is none of the usual ones, and
/// `ANTEROOM_SCREENSHOTS` a folder for pictures, which are not taken without it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail, openBrowser } from "./browser.mjs";
import { Server } from "./server.mjs";

const { ANTEROOM_BIN, ANTEROOM_SCREENSHOTS } = process.env;

/// Plays a story, which answers what to say of it; then the process ends.
export async function play(name, story) {
  const deadline = setTimeout(() => fail("not done after 5 minutes"), 300_000);
  const folder = mkdtempSync(join(tmpdir(), `anteroom-${name}-`));
  const server = new Server(ANTEROOM_BIN, folder);
  process.once("exit", () => {
    server.child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const wrong = [];
  try {
    await server.start();
    const { browser, context, asked } = await openBrowser(wrong);
    const told = await story({ server, context, asked, wrong });
    await browser.close();
    console.log(`${name}: ${told}`);
  } catch (error) {
    fail([error?.stack ?? error, ...wrong].join("\n"));
  }
  clearTimeout(deadline);
  process.exit(0);
}

/// Console messages of a page whose server is killed and comes back.
const SERVER_GONE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|Connection closed before receiving a handshake response/;

/// Checks that the pages logged no errors, except those of a killed server and those that a pattern allows.
export function expectNoOtherErrors(wrong, allowed) {
  const others = wrong.filter((text) => !SERVER_GONE.test(text) && !allowed?.test(text));
  assert.deepEqual(others, [], "nothing else went wrong in the page");
}

export async function screenshot({ page }, name) {
  if (!ANTEROOM_SCREENSHOTS) return;
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(ANTEROOM_SCREENSHOTS, `${name}.png`) });
}
