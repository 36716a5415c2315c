import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, Observable } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode, print } from "graphql";
import { createClient } from "graphql-ws";
import { resuming } from "../../contract/resume-link.mjs";

export function client(url: string, token: () => Promise<string>) {
  const authorization = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, authorization: `Bearer ${await token()}` },
  }));

  const subscribe = resuming(
    createClient({
      url: url.replace(/^http/, "ws"),
      connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
      retryAttempts: Infinity,
      shouldRetry: () => true,
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
      // Who implements an interface; codegen's "fragment-matcher" keeps the list for you.
      possibleTypes: { Actor: ["User", "Visitor"] },
      typePolicies: {
        Chat: { fields: { messages: relayStylePagination(["types"]) } },
        Viewer: { keyFields: [], fields: { inbox: relayStylePagination(["filter", "orderBy"]) } },
      },
    }),
  });
}
