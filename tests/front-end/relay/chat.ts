import { graphql } from "relay-runtime";

export const query = graphql`
  query chatQuery($chatId: ID!) {
    chat(id: $chatId) {
      title
      ...chat_messages
    }
  }
`;

// The newest 50; `loadPrevious` fetches what came before.
export const messages = graphql`
  fragment chat_messages on Chat
  @refetchable(queryName: "chatMessagesPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" }) {
    messages(last: $count, before: $cursor) @connection(key: "chat_messages") {
      eventCursor
      edges {
        node {
          id
          text
          senderName
          createdAt
        }
      }
    }
  }
`;

// With `after`, the connection's eventCursor, nothing is missed between the query and the subscription.
export const added = graphql`
  subscription chatAddedSubscription($chatId: ID!, $after: String, $connections: [ID!]!) {
    messageAdded(chatId: $chatId, after: $after) @appendEdge(connections: $connections) {
      cursor
      node {
        id
        text
        senderName
        createdAt
      }
    }
  }
`;

// The edge that the subscription brings is the same one: Relay keeps one edge per node.
export const send = graphql`
  mutation chatSendMutation($input: SendMessageInput!, $connections: [ID!]!) {
    sendMessage(input: $input) {
      messageEdge @appendEdge(connections: $connections) {
        cursor
        node {
          id
          text
          senderName
          createdAt
        }
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;
