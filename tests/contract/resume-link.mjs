/// Makes the subscriptions of a graphql-ws or graphql-sse client resume after a reconnect. Both clients send the same
/// request object again when they reconnect, so the link keeps the latest cursor in that object.
export function resuming(client) {
  return (payload, sink) => {
    const request = { ...payload };
    return client.subscribe(request, {
      next(result) {
        const after = result.extensions?.cursor;
        if (after) request.extensions = { ...request.extensions, after };
        sink.next(result);
      },
      error: (error) => sink.error(error),
      complete: () => sink.complete(),
    });
  };
}

/// Options for the client of graphql-ws: it always reconnects, after a random delay of at most 5 seconds.
export const reconnecting = {
  retryAttempts: Infinity,
  shouldRetry: () => true,
  async retryWait(retries) {
    const limit = Math.min(5_000, 250 * 2 ** retries);
    await new Promise((resolve) => setTimeout(resolve, limit * (0.5 + Math.random() / 2)));
  },
};
