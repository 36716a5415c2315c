//! A patient's chat as a record system knows it: by the record's ids, through an API client, in pages.

use crate::harness::Engine;
use crate::harness::client::{Client, error_code};
use crate::harness::scene::program;
use crate::harness::world::{NOON, Person, World, creation, organization, text, visitor};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    patient_is_found_by_record_id_only_in_own_instance,
    every_call_needs_a_bearer_token_and_speaks_json,
    api_client_sends_message_for_patient,
    the_care_teams_message_names_its_author_and_its_receiver,
    pages_go_from_the_newest_to_older_ones_and_back,
    page_info_is_exact_and_size_is_independent,
    a_cursor_goes_with_archived_messages,
);

const PATIENT: &str = "7272b601-bb09-4abf-87c0-ade48ddfaea0";

struct Record {
    world: World,
    olga: Person,
    patient: Person,
    program: Client,
    chat: String,
}

impl Record {
    async fn new(engine: Engine) -> Self {
        let world = World::frozen(engine).await;
        let (olga, patient) = (world.operator("Olga").await, world.visitor(PATIENT).await);
        let program = program(&world.app, &world.admin).await;
        let chat = world.chat(&patient).await;
        Self { world, olga, patient, program, chat }
    }

    /// Sends a message of the patient through the API client.
    async fn inbound(&self, text: &str) -> Value {
        let input = json!({ "chatId": self.chat, "senderId": self.patient.id, "text": text });
        let selection = "messageEdge { cursor node { sender { __typename id } receiver { id } senderName text
            externalId createdAt } }";
        self.program.done("sendMessage", selection, input).await["messageEdge"].clone()
    }

    /// A page of the chat's messages.
    async fn page(&self, arguments: &str) -> Value {
        let query = format!(
            "query($id: ID!) {{ chat(id: $id) {{ messages(types: [MESSAGE], {arguments}) {{ totalCount
                pageInfo {{ startCursor endCursor hasPreviousPage hasNextPage }} nodes {{ text cursor }} }} }} }}"
        );
        self.program.query(&query, json!({ "id": self.chat })).await["chat"]["messages"].clone()
    }

    async fn stop(self) {
        self.world.app.stop().await;
    }
}

fn texts(page: &Value) -> Vec<String> {
    page["nodes"].as_array().expect("nodes").iter().map(|node| text(&node["text"])).collect()
}

fn cursor(page: &Value, name: &str) -> String {
    text(&page["pageInfo"][name])
}

async fn patient_is_found_by_record_id_only_in_own_instance(engine: Engine) {
    let record = Record::new(engine).await;
    let find = "query($id: String!) { organization { tenantName instanceName }
        visitor(by: { externalId: $id }) { id externalId chats(last: 1) { nodes { id } } } }";
    let found = record.program.query(find, json!({ "id": PATIENT })).await;
    let expected = json!({
        "organization": { "tenantName": "clinic", "instanceName": "main" },
        "visitor": { "id": record.patient.id, "externalId": PATIENT, "chats": { "nodes": [{ "id": record.chat }] } },
    });
    assert_eq!(found, expected);
    // The same record's id in another instance is somebody else.
    let (other, _) = organization(&record.world.app, "hospital").await;
    assert_eq!(other.query(find, json!({ "id": PATIENT })).await["visitor"], Value::Null);
    let namesake = visitor(&record.world.app, &other, PATIENT).await;
    let found = other.query(find, json!({ "id": PATIENT })).await["visitor"].clone();
    assert_eq!(found["id"], namesake.id);
    assert_ne!(found["id"], record.patient.id);
    assert_eq!(found["chats"]["nodes"], json!([]));
    record.stop().await;
}

async fn every_call_needs_a_bearer_token_and_speaks_json(engine: Engine) {
    let record = Record::new(engine).await;
    let http = reqwest::Client::new();
    let url = format!("{}/graphql", record.program.url);
    let body = json!({ "query": "{ viewer { role } }" });
    let status = async |request: reqwest::RequestBuilder| request.send().await.expect("an answer").status();
    assert_eq!(status(http.post(&url).json(&body)).await, 401);
    assert_eq!(status(http.post(&url).bearer_auth("made up").json(&body)).await, 401);
    let asked = http.post(&url).bearer_auth(&record.program.token).json(&body);
    let answer: Value = asked.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer, json!({ "data": { "viewer": { "role": "API_CLIENT" } } }));
    record.stop().await;
}

async fn api_client_sends_message_for_patient(engine: Engine) {
    let record = Record::new(engine).await;
    let message = record.inbound("hello, world!").await["node"].clone();
    assert_eq!(message["text"], "hello, world!");
    assert_eq!(message["sender"], json!({ "__typename": "Visitor", "id": record.patient.id }));
    assert_ne!(message["sender"]["id"], PATIENT);
    assert_eq!(message["receiver"], Value::Null);
    assert_eq!(message["createdAt"], NOON);
    // The server's own id, as long as the sender gave none: 32 hexadecimal digits, another for each message.
    let id = text(&message["externalId"]);
    assert!(id.len() == 32 && id.chars().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    assert_ne!(record.inbound("hello, world!").await["node"]["externalId"], message["externalId"]);
    // The sender's, where they gave one: and then a retry is no second message.
    let input = json!({
        "chatId": record.chat, "senderId": record.patient.id, "text": "Once", "externalId": "IM6f03096c"
    });
    let selection = "messageEdge { node { id externalId } } chat { messageCount }";
    let first = record.program.done("sendMessage", selection, input.clone()).await;
    assert_eq!(first["messageEdge"]["node"]["externalId"], "IM6f03096c");
    assert_eq!(record.program.done("sendMessage", selection, input.clone()).await, first);
    // Nobody else can send messages for the patient.
    let document =
        "mutation($input: SendMessageInput!) { sendMessage(input: $input) { userErrors { code } } }";
    assert_eq!(error_code(&record.olga.ask(document, json!({ "input": input })).await), "FORBIDDEN");
    record.stop().await;
}

async fn the_care_teams_message_names_its_author_and_its_receiver(engine: Engine) {
    let record = Record::new(engine).await;
    record.inbound("hello").await;
    let input = json!({ "chatId": record.chat, "text": "Hello, World!" });
    record.olga.done("sendMessage", "", input).await;
    let query = "query($id: ID!) { chat(id: $id) { messages(types: [MESSAGE]) { nodes {
        sender { __typename id ... on User { name } } receiver { __typename id } senderName } } } }";
    let seen = record.program.query(query, json!({ "id": record.chat })).await["chat"]["messages"].clone();
    let expected = json!([
        {
            "sender": { "__typename": "Visitor", "id": record.patient.id }, "receiver": null,
            "senderName": format!("Visitor {PATIENT}"),
        },
        {
            "sender": { "__typename": "User", "id": record.olga.id, "name": "Olga" },
            "receiver": { "__typename": "Visitor", "id": record.patient.id }, "senderName": "Olga",
        },
    ]);
    assert_eq!(seen["nodes"], expected);
    // The patient reads the name that is for patients.
    let seen = record.patient.query(query, json!({ "id": record.chat })).await["chat"]["messages"].clone();
    assert_eq!(seen["nodes"][1]["senderName"], "Olga in public");
    assert_eq!(seen["nodes"][1]["sender"]["name"], Value::Null);
    // Between two it is the other one; what nobody in particular was told has no receiver.
    let otto = record.world.operator("Otto").await;
    let receiver = "messageEdge { node { receiver { id } } }";
    for (kind, expected) in [("DIRECT", json!({ "id": otto.id })), ("GROUP", Value::Null)] {
        let (name, input) = creation(kind, &[&otto.id]);
        let chat = record.olga.done(name, "chat { id }", input).await["chat"]["id"].clone();
        let sent = record.olga.done("sendMessage", receiver, json!({ "chatId": chat, "text": "Hi" })).await;
        assert_eq!(sent["messageEdge"]["node"]["receiver"], expected);
    }
    record.stop().await;
}

async fn pages_go_from_the_newest_to_older_ones_and_back(engine: Engine) {
    let record = Record::new(engine).await;
    // Given seven messages of one moment,
    for number in 0..7 {
        record.inbound(&number.to_string()).await;
    }
    // the newest page is taken from the end, and each page before it with its first cursor,
    let newest = record.page("last: 3").await;
    assert_eq!(texts(&newest), ["4", "5", "6"]);
    let older = record.page(&format!("last: 3, before: \"{}\"", cursor(&newest, "startCursor"))).await;
    assert_eq!(texts(&older), ["1", "2", "3"]);
    let oldest = record.page(&format!("last: 3, before: \"{}\"", cursor(&older, "startCursor"))).await;
    assert_eq!(texts(&oldest), ["0"]);
    // and back with the last.
    let back = record.page(&format!("first: 3, after: \"{}\"", cursor(&oldest, "endCursor"))).await;
    assert_eq!(texts(&back), ["1", "2", "3"]);
    let again = record.page(&format!("first: 3, after: \"{}\"", cursor(&back, "endCursor"))).await;
    assert_eq!(texts(&again), texts(&newest));
    record.stop().await;
}

async fn page_info_is_exact_and_size_is_independent(engine: Engine) {
    let record = Record::new(engine).await;
    let empty = record.page("last: 2").await;
    assert_eq!((texts(&empty).len(), &empty["pageInfo"]["startCursor"]), (0, &Value::Null));
    for number in 0..3 {
        record.inbound(&number.to_string()).await;
    }
    let sides =
        |page: &Value| (page["pageInfo"]["hasPreviousPage"] == true, page["pageInfo"]["hasNextPage"] == true);
    let newest = record.page("last: 2").await;
    assert_eq!((texts(&newest).len(), sides(&newest), &newest["totalCount"]), (2, (true, false), &json!(3)));
    let start = cursor(&newest, "startCursor");
    for size in [1, 2, 100] {
        let oldest = record.page(&format!("last: {size}, before: \"{start}\"")).await;
        assert_eq!((texts(&oldest), sides(&oldest)), (vec!["0".to_owned()], (false, true)), "{size}");
    }
    // A text that is not a cursor of this chat is refused: cursors cannot be read or made up.
    let query =
        "query($id: ID!, $at: String!) { chat(id: $id) { messages(last: 1, before: $at) { totalCount } } }";
    for made_up in ["eyJ0eXBlIjoiTE9DQUxfRklORCJ9", "2021-03-09T23:54:39.152Z", ""] {
        let answer = record.program.ask(query, json!({ "id": record.chat, "at": made_up })).await;
        assert_eq!(error_code(&answer), "CURSOR_INVALID", "{made_up}");
    }
    record.stop().await;
}

async fn a_cursor_goes_with_archived_messages(engine: Engine) {
    let record = Record::new(engine).await;
    for number in 0..4 {
        record.inbound(&number.to_string()).await;
        record.world.pass(1);
    }
    let before = NOON.replace("00:00.000Z", "00:02.000Z");
    record.olga.done("archiveMessages", "", json!({ "chatId": record.chat, "before": before })).await;
    let newest = record.page("last: 1").await;
    let at = cursor(&newest, "startCursor");
    let page = record.page(&format!("last: 9, before: \"{at}\"")).await;
    assert_eq!(texts(&page), ["2"]);
    let page = record.page(&format!("last: 9, before: \"{at}\", includeArchived: true")).await;
    assert_eq!(texts(&page), ["0", "1", "2"]);
    // A cursor of an archived message is a position too.
    let archived = text(&page["nodes"][0]["cursor"]);
    assert_eq!(texts(&record.page(&format!("first: 9, after: \"{archived}\"")).await), ["2", "3"]);
    record.stop().await;
}
