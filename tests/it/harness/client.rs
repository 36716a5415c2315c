//! A GraphQL client over HTTP.

use serde_json::{Value, json};

/// A client with a token.
#[derive(Clone, Debug)]
pub struct Client {
    pub url: String,
    pub token: String,
    /// The origin of the page that the client runs on, if any.
    pub origin: Option<String>,
    pub http: reqwest::Client,
}

impl Client {
    pub fn new(url: &str, token: &str) -> Self {
        // The HTTP client needs a TLS provider even if it never uses TLS.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        Self { url: url.to_owned(), token: token.to_owned(), origin: None, http: reqwest::Client::new() }
    }

    /// The same client on a page of a site.
    pub fn on_page_of(&self, origin: &str) -> Self {
        Self { origin: Some(origin.to_owned()), ..self.clone() }
    }

    /// The whole response, including errors.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        self.try_ask(query, variables).await.expect("an answer")
    }

    /// The whole response, or an error if there is none.
    pub async fn try_ask(&self, query: &str, variables: Value) -> reqwest::Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        self.request().json(&body).send().await?.json().await
    }

    /// A request without a body.
    pub fn request(&self) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}/graphql", self.url)).bearer_auth(&self.token);
        match &self.origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        }
    }

    /// The data of a response, which must have no errors.
    pub async fn query(&self, query: &str, variables: Value) -> Value {
        let answer = self.ask(query, variables).await;
        assert_eq!(answer.get("errors"), None, "{query}: {answer:#}");
        answer["data"].clone()
    }

    /// The payload of a mutation. `selection` is selected in addition to `userErrors`.
    pub async fn mutate(&self, name: &str, selection: &str, input: Value) -> Value {
        let answer = self.ask(&mutation(name, selection), json!({ "input": input })).await;
        assert_eq!(answer.get("errors"), None, "{name}: {answer:#}");
        answer["data"][name].clone()
    }

    /// The payload of a mutation, which must not be refused.
    pub async fn done(&self, name: &str, selection: &str, input: Value) -> Value {
        let payload = self.mutate(name, selection, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{name}: {payload:#}");
        payload
    }

    /// The codes of a mutation's user errors.
    pub async fn refused(&self, name: &str, input: Value) -> Vec<String> {
        let payload = self.mutate(name, "", input).await;
        codes(&payload["userErrors"])
    }
}

/// The document of a mutation.
pub fn mutation(name: &str, selection: &str) -> String {
    let mut input = name[..1].to_uppercase();
    input.push_str(&name[1..]);
    format!(
        "mutation($input: {input}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code message field }} }} }}"
    )
}

fn codes(errors: &Value) -> Vec<String> {
    let errors = errors.as_array().expect("a list of errors");
    errors.iter().map(|error| error["code"].as_str().expect("a code").to_owned()).collect()
}

/// Whether a field of a response is null without an error.
pub fn is_null(answer: &Value, pointer: &str) -> bool {
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"].pointer(pointer).unwrap_or_else(|| panic!("no {pointer}: {answer:#}")).is_null()
}

/// The code of the only GraphQL error of a response.
pub fn error_code(answer: &Value) -> String {
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("no errors: {answer:#}"));
    assert_eq!(errors.len(), 1, "{answer:#}");
    errors[0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {answer:#}")).to_owned()
}
