import { graphql } from "../generated";

export const inbox = graphql(`
  query Inbox($after: String) {
    viewer {
      id
      unreadCount
      inbox(first: 25, after: $after) {
        edges {
          cursor
          node {
            id
            title
            lastMessage {
              id
              text
              senderName
            }
            viewerParticipation {
              id
              unreadCount
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
`);

// Each event carries the fields that the screen shows. The cache updates objects by id.
export const events = graphql(`
  subscription InboxEvents($roomIds: [ID!]) {
    viewerEvents(roomIds: $roomIds) {
      viewer {
        id
        unreadCount
      }
      change {
        __typename
        ... on InboxChatAddedEvent {
          chatEdge {
            cursor
            node {
              id
              title
            }
          }
        }
        ... on InboxChatRemovedEvent {
          removedChatId
        }
        ... on ChatChangedEvent {
          chat {
            id
            title
            lastMessage {
              id
              text
              senderName
            }
            viewerParticipation {
              id
              unreadCount
            }
          }
        }
      }
    }
  }
`);
