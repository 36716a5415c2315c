/// urql's normalized cache accepts the schema and the documented configuration without a warning.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Client, gql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { minifyIntrospectionQuery } from "@urql/introspection";
import { buildSchema, introspectionFromSchema, isObjectType } from "graphql";
import { filter, map, pipe, take, toPromise } from "wonka";

const schema = buildSchema(readFileSync("../../schema.graphql", "utf8"));
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
const keyless = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type) && !type.name.startsWith("__"))
  .filter((type) => !type.getFields().id && !roots.includes(type))
  .map(({ name }) => name);

/// Answers every query with this data.
const answering = (data) => () => (operations) =>
  pipe(
    operations,
    filter(({ kind }) => kind === "query"),
    map((operation) => ({ operation, data, stale: false, hasNext: false })),
  );

test("graphcache takes the introspected schema without a warning", async (context) => {
  const warn = context.mock.method(console, "warn", () => {});
  const error = context.mock.method(console, "error", () => {});
  const user = { __typename: "User", id: "u1", displayName: "Olga" };
  const pageInfo = { __typename: "PageInfo", hasNextPage: false, endCursor: "c" };
  const reactions = [{ __typename: "Reaction", emoji: "👍", count: 1 }];
  const message = { __typename: "Message", id: "m1", text: "Hello", sender: user, reactions };
  const messages = { __typename: "MessageConnection", nodes: [message], pageInfo };
  const chat = { __typename: "Chat", id: "c1", messages };
  const client = new Client({
    url: "http://localhost/graphql",
    preferGetMethod: false,
    exchanges: [
      cacheExchange({
        schema: minifyIntrospectionQuery(introspectionFromSchema(schema), { includeScalars: true }),
        keys: Object.fromEntries(keyless.map((type) => [type, () => null])),
        resolvers: { Chat: { messages: relayPagination() }, Viewer: { inbox: relayPagination() } },
      }),
      answering({ __typename: "Query", chat }),
    ],
  });
  const query = gql`
    query ($id: ID!) {
      chat(id: $id) {
        id
        messages(first: 1) {
          nodes {
            id
            text
            reactions {
              emoji
              count
            }
            sender {
              id
              displayName
              ... on User {
                __typename
              }
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  `;
  const read = (requestPolicy) =>
    pipe(client.query(query, { id: "c1" }, { requestPolicy }), take(1), toPromise);
  const fetched = await read("network-only");
  assert.equal(fetched.data.chat.messages.nodes[0].sender.displayName, "Olga");
  const cached = await read("cache-only");
  assert.deepEqual(cached.data, fetched.data);
  const said = [...warn.mock.calls, ...error.mock.calls].map((call) => call.arguments.join(" "));
  assert.deepEqual(said, []);
});
