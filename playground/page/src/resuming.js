/// The link that the documentation shows: it makes the subscriptions of a graphql-ws client resume where they
/// stood. The client sends the same request object again when it reconnects, so the link writes the newest
/// cursor into it, where the server looks for it.
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
