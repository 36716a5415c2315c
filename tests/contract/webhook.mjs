/// Webhooks at a receiver as the documentation shows it, with the npm library of Standard Webhooks.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Webhook } from "standardwebhooks";
import { receiver } from "./receiver.mjs";
import { call, main, sendMessage, setting, startChat, until } from "./support.mjs";

const url = setting("ANTEROOM_URL");
const [admin, operator, visitor] = ["ADMIN", "OPERATOR", "VISITOR"].map((who) => setting(`ANTEROOM_${who}_TOKEN`));

await main("webhook", async () => {
  const events = [];
  // The address is known before the secret is: what listens first takes nothing yet.
  const listening = receiver(`whsec_${Buffer.alloc(24).toString("base64")}`, () => assert.fail("another secret"));
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address();
  const { createWebhook } = await call(
    url,
    admin,
    `mutation ($input: CreateWebhookInput!) {
       createWebhook(input: $input) { userErrors { message } signingSecret webhook { id } }
     }`,
    {
      input: {
        url: `http://127.0.0.1:${port}/`,
        events: ["MESSAGE_TO_VISITOR", "MESSAGE_ADDED"],
        apiKey: "key",
        apiSecret: "secret",
      },
    },
  );
  listening.close();
  const server = receiver(createWebhook.signingSecret, (event) => events.push(event));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  const { chatId } = await startChat(url, admin, visitor);
  await sendMessage(url, operator, chatId, "Grüße, 你好, 🙂");
  await until("three deliveries were verified", () => events.length === 3);
  const told = events.find((event) => event.patientId !== undefined);
  assert.equal(told.message, "Grüße, 你好, 🙂");
  assert.equal(events.filter((event) => event.type === "MESSAGE_ADDED").length, 2);

  const body = JSON.stringify({ patientId: "vera", message: "forged" });
  const at = new Date();
  const forged = {
    "webhook-id": "msg_forged",
    "webhook-timestamp": String(Math.floor(at / 1000)),
    "webhook-signature": new Webhook("whsec_Zm9yZ2Vk").sign("msg_forged", at, body),
  };
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers: forged, body });
  assert.equal(answer.status, 400);
  assert.equal(events.length, 3);
  server.closeAllConnections();
  server.close();
  return `the npm library verified ${events.length} deliveries, and refused a forged one`;
});
