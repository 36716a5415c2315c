import { createClient } from "graphql-ws";
import { Environment, Network, Observable, RecordSource, Store } from "relay-runtime";
import type { FetchFunction, GraphQLResponse, SubscribeFunction } from "relay-runtime";
import { reconnecting, resuming } from "./resume-link.mjs";

export function environment(url: string, token: () => Promise<string>) {
  const fetchQuery: FetchFunction = async ({ text }, variables) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${await token()}` },
      body: JSON.stringify({ query: text, variables }),
    });
    return (await response.json()) as GraphQLResponse;
  };

  const subscribe = resuming(
    createClient({
      ...reconnecting,
      url: url.replace(/^http/, "ws"),
      connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
    }),
  );
  const subscribeFn: SubscribeFunction = ({ text }, variables) =>
    Observable.create((sink) => subscribe({ query: text, variables }, sink));

  return new Environment({
    network: Network.create(fetchQuery, subscribeFn),
    store: new Store(new RecordSource()),
  });
}
