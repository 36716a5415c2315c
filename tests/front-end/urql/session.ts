import { graphql } from "../generated";

export const session = graphql(`
  query Session($chatId: ID!) {
    chat(id: $chatId) {
      id
      openSession {
        id
        state
        ringsUntil
        viewerDirectives
      }
    }
  }
`);

export const accept = graphql(`
  mutation Accept($input: AcceptChatSessionInput!) {
    acceptChatSession(input: $input) {
      session {
        id
        state
        viewerDirectives
        acceptedBy {
          id
          displayName
        }
      }
      userErrors {
        code
        message
      }
    }
  }
`);
