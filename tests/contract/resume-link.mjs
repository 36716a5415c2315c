/// The link that the documentation shows: it makes the subscriptions of a graphql-ws or a graphql-sse client
/// resume where they stood. Both clients send the same request object again when they reconnect, so the
/// link writes the newest cursor into it, where the server looks for it.
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
