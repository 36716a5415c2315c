import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

/// A receiver of webhooks: `take(event)` is called once for each delivery that is what it says it is.
export function receiver(signingSecret, take) {
  const webhook = new Webhook(signingSecret);
  const taken = new Set();
  return createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      try {
        const event = webhook.verify(Buffer.concat(chunks), request.headers);
        const id = request.headers["webhook-id"];
        if (!taken.has(id)) take(event);
        taken.add(id);
        response.writeHead(204).end();
      } catch {
        response.writeHead(400).end();
      }
    });
  });
}
