/// The reference client for server-sent events.

import { main, setting, sseClient, surviveCuts } from "./support.mjs";

const url = setting("ANTEROOM_URL");
const admin = setting("ANTEROOM_ADMIN_TOKEN");
const visitor = setting("ANTEROOM_VISITOR_TOKEN");

await main("graphql-sse", async () => {
  const cuts = await surviveCuts(url, admin, visitor, sseClient);
  return `200 messages once and in order through ${cuts} broken connections`;
});
