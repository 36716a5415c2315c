import { graphql } from "../generated";

export const session = graphql(`
  query Session($chatId: ID!) {
    chat(id: $chatId) {
      id
      openChatSession {
        id
        state
        ringsUntil
        viewerActions
      }
    }
  }
`);

export const accept = graphql(`
  mutation Accept($input: AcceptChatSessionInput!) {
    acceptChatSession(input: $input) {
      chatSession {
        id
        state
        viewerActions
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
