/// A real browser that asks nobody outside, and the end of a test that failed in it.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const { ANTEROOM_BIN, ANTEROOM_CHROMIUM } = process.env;

export function fail(why) {
  console.error(`browser: FAILED: ${why}`);
  process.exit(1);
}

if (!ANTEROOM_BIN) fail("ANTEROOM_BIN is not set: it is the server's binary");
const browsers = [ANTEROOM_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) fail("no Chromium is installed; ANTEROOM_CHROMIUM says where it is");

/// Opens a browser that remembers whom it asked, and in `wrong` what went wrong in it.
export async function openBrowser(wrong) {
  const browser = await chromium.launch({
    executablePath,
    // Whatever runs as root, as containers do, has no sandbox. Nothing outside is found, should it be asked for.
    args: ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
    chromiumSandbox: process.getuid?.() !== 0,
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(60_000);
  const asked = [];
  context.on("request", (request) => asked.push(request.url()));
  context.on("page", (page) => page.on("websocket", (socket) => asked.push(socket.url())));
  context.on("weberror", (error) => wrong.push(String(error.error())));
  context.on("console", (message) => {
    if (message.type() === "error") wrong.push(message.text());
  });
  return { browser, context, asked };
}
