import { initGraphQLTada, type ResultOf, type VariablesOf } from "gql.tada";
import type { introspection } from "../generated/tada-env";

const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { DateTime: string; Decimal: string };
}>();

const sender = graphql(`
  fragment Sender on Actor @_unmask {
    __typename
    id
    displayName
  }
`);

export const inbox = graphql(
  `
    query Inbox($first: Int!, $filter: ChatFilter) {
      viewer {
        id
        inbox(first: $first, filter: $filter) {
          nodes {
            id
            title
            lastMessage {
              id
              text
              createdAt
              sender {
                ...Sender
              }
            }
          }
        }
      }
    }
  `,
  [sender],
);

export const open: VariablesOf<typeof inbox> = { first: 25, filter: { isEnded: false } };

/// One line for each chat with a newest message.
export function lines({ viewer }: ResultOf<typeof inbox>): string[] {
  return viewer.inbox.nodes.flatMap(({ title, lastMessage }) =>
    lastMessage ? [`${title}: ${lastMessage.sender?.displayName ?? ""} ${lastMessage.text ?? ""}`] : [],
  );
}
