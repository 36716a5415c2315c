/// Merges received and pending messages for display. Received messages appear once each, in the order of `sequence`.
/// Pending messages follow until the server's copy of them arrives.
///
/// `received` are messages from queries, subscriptions and mutations, the latest version of each last.
/// `pending` are messages that the viewer has sent and the server has not answered, each with its `externalId`.
export function timeline(received, pending, viewerActorId) {
  const byId = new Map(received.map((message) => [message.id, message]));
  const own = received.filter(({ sender }) => sender?.id === viewerActorId);
  const arrived = new Set(own.map(({ externalId }) => externalId));
  return [
    ...[...byId.values()].sort((one, other) => one.sequence - other.sequence),
    ...pending.filter(({ externalId }) => !arrived.has(externalId)),
  ];
}
