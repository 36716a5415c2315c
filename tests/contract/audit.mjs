/// The 61 audits of the GraphQL over HTTP specification: every one must be ok.

import assert from "node:assert/strict";
import { auditServer } from "graphql-http";
import { main, setting } from "./support.mjs";

const url = setting("ANTEROOM_URL");
const token = setting("ANTEROOM_ADMIN_TOKEN");

await main("graphql-http audits", async () => {
  const results = await auditServer({
    url: `${url}/graphql`,
    fetchFn: (input, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${token}`);
      return fetch(input, { ...init, headers });
    },
  });
  const failed = results.filter(({ status }) => status !== "ok");
  for (const { status, id, name, reason } of failed) console.error(`${status} ${id} ${name}: ${reason}`);
  assert.equal(failed.length, 0, `${failed.length} of ${results.length} audits are not ok`);
  assert.equal(results.length, 61, "there are 61 audits");
  return "61 of 61 ok";
});
