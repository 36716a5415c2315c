import { graphql } from "relay-runtime";

export const query = graphql`
  query chatQuery($chatId: ID!) {
    chat(id: $chatId) {
      title
      ...chat_messages
    }
  }
`;

// The newest 50 messages. `loadPrevious` loads older ones.
export const messages = graphql`
  fragment chat_messages on Chat
  @refetchable(queryName: "chatMessagesPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" }) {
    messages(last: $count, before: $cursor) @connection(key: "chat_messages") {
      eventCursor
      edges {
        node {
          ...chat_message @relay(mask: false)
        }
      }
    }
  }
`;

// `sequence` orders the messages on the screen, and `externalId` finds the pending message to replace.
export const message = graphql`
  fragment chat_message on Message {
    id
    sequence
    externalId
    text
    senderName
    sender {
      id
    }
    createdAt
  }
`;

// Pass the connection's eventCursor as `after`, so that no message is missed between query and subscription.
export const added = graphql`
  subscription chatAddedSubscription($chatId: ID!, $after: String, $connections: [ID!]!) {
    messageAdded(chatId: $chatId, after: $after) @appendEdge(connections: $connections) {
      cursor
      node {
        ...chat_message @relay(mask: false)
      }
    }
  }
`;

// The subscription delivers this message too. `@appendEdge` adds it only once.
export const send = graphql`
  mutation chatSendMutation($input: SendMessageInput!, $connections: [ID!]!) {
    sendMessage(input: $input) {
      messageEdge @appendEdge(connections: $connections) {
        cursor
        node {
          ...chat_message @relay(mask: false)
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
