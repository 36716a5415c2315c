import assert from "node:assert/strict";
import { test } from "node:test";
import { timeline } from "./timeline.mjs";

const message = (sequence, senderId, externalId) => ({
  id: `message-${sequence}`,
  sequence,
  externalId,
  sender: senderId && { id: senderId },
});

test("messages are ordered by sequence, however they arrive", () => {
  const [first, second, third] = [message(1, "otto", "a"), message(3, "vera", "b"), message(4, "otto", "c")];
  assert.deepEqual(timeline([third, first, second], [], "vera"), [first, second, third]);
});

test("a message that arrives twice is shown once, in its latest version", () => {
  const edited = { ...message(1, "otto", "a"), text: "Edited" };
  assert.deepEqual(timeline([message(1, "otto", "a"), edited], [], "vera"), [edited]);
});

test("a pending message is replaced by the server's copy", () => {
  const pending = { externalId: "mine", text: "Hello" };
  const other = message(1, "otto", "mine");
  assert.deepEqual(timeline([other], [pending], "vera"), [other, pending]);
  const copy = message(2, "vera", "mine");
  assert.deepEqual(timeline([other, copy], [pending], "vera"), [other, copy]);
});

test("a message of the server itself has no sender", () => {
  const system = message(1, null, "s");
  assert.deepEqual(timeline([system], [], "vera"), [system]);
});
