import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, Observable } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode, print } from "graphql";
import { createClient } from "graphql-ws";
import { possibleTypes } from "../generated/cache-types";
import { reconnecting, resuming } from "./resume-link.mjs";

export function client(url: string, token: () => Promise<string>) {
  const authorization = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, authorization: `Bearer ${await token()}` },
  }));

  const subscribe = resuming(
    createClient({
      ...reconnecting,
      url: url.replace(/^http/, "ws"),
      connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
    }),
  );
  const socket = new ApolloLink(
    ({ query, variables }) =>
      new Observable((sink) => subscribe({ query: print(query), variables }, sink)),
  );

  return new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      socket,
      authorization.concat(new HttpLink({ uri: url })),
    ),
    cache: new InMemoryCache({
      possibleTypes,
      typePolicies: {
        // Arguments that make another list. Pages of the same list are merged.
        Chat: {
          fields: { messages: relayStylePagination(["types", "includeArchived", "around"]) },
        },
        Viewer: {
          fields: { inbox: relayStylePagination(["filter", "orderBy", "includeHidden"]) },
        },
      },
    }),
  });
}
