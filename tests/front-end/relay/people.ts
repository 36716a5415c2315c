import { graphql } from "relay-runtime";

// `Actor` and `Attachment` are nodes, so that a fragment on the interface can be fetched again by its id.
export const person = graphql`
  fragment people_person on Actor @refetchable(queryName: "peoplePersonRefetchQuery") {
    id
    displayName
    isOnline
    ... on Visitor {
      externalId
    }
  }
`;

export const attachment = graphql`
  fragment people_attachment on Attachment @refetchable(queryName: "peopleAttachmentRefetchQuery") {
    id
    name
    ... on FileAttachment {
      url
    }
  }
`;

export const query = graphql`
  query peopleQuery($chatId: ID!) {
    chat(id: $chatId) {
      participations(first: 100) {
        nodes {
          actor {
            ...people_person
          }
        }
      }
      messages(last: 50) {
        nodes {
          attachments {
            ...people_attachment
          }
        }
      }
    }
  }
`;
