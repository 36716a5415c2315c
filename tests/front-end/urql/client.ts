import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { createClient } from "graphql-ws";
import { resuming } from "../../contract/resume-link.mjs";

export function client(url: string, token: () => string) {
  const subscribe = resuming(
    createClient({
      url: url.replace(/^http/, "ws"),
      connectionParams: () => ({ authorization: `Bearer ${token()}` }),
      retryAttempts: Infinity,
      shouldRetry: () => true,
    }),
  );
  return new Client({
    url,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: { authorization: `Bearer ${token()}` } }),
    exchanges: [
      cacheExchange({
        // What has no id is part of what it stands in.
        keys: { Viewer: () => null, Typing: () => null, UserError: () => null },
        resolvers: { Chat: { messages: relayPagination() }, Viewer: { inbox: relayPagination() } },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({ unsubscribe: subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
}
