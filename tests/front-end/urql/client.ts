import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { createClient } from "graphql-ws";
import { keyless } from "../generated/cache-types";
import { reconnecting, resuming } from "./resume-link.mjs";

export function client(url: string, token: () => string) {
  const subscribe = resuming(
    createClient({
      ...reconnecting,
      url: url.replace(/^http/, "ws"),
      connectionParams: () => ({ authorization: `Bearer ${token()}` }),
    }),
  );
  return new Client({
    url,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: { authorization: `Bearer ${token()}` } }),
    exchanges: [
      cacheExchange({
        // Types without an id are stored inside their parent.
        keys: Object.fromEntries(keyless.map((type) => [type, () => null])),
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
