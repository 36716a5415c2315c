//! Facts of Welkin's patient chat.

use crate::harness::Engine;
use crate::harness::client::{Client, error_code};
use crate::harness::world::{Person, TOKEN_SECONDS, World, ids, text, visitor};
use crate::on_both;
use anteroom::actions::{Error, IssueToken, NewOrganization, TokenSubject};
use serde_json::{Value, json};

on_both!(
    tenant_and_instance_are_separate_scopes,
    there_is_one_path,
    a_cursor_carries_no_page_size,
    search_cursor_is_independent_of_other_arguments,
    every_listed_message_has_its_cursor,
    hit_cursor_pages_to_neighbors_with_any_size,
    equal_times_and_archived_messages_are_not_skipped,
);

async fn admin_of(world: &World, tenant: &str, instance: &str) -> Person {
    let input = NewOrganization {
        tenant_name: tenant.into(),
        instance_name: instance.into(),
        name: "Clinic".into(),
        admin_name: "Ada".into(),
    };
    let actions = world.app.app.actions();
    let (organization, admin) = actions.create_organization(input).await.expect("an organization");
    let input =
        IssueToken { subject: TokenSubject::Actor(admin.id), expires_in_seconds: Some(TOKEN_SECONDS) };
    let (_, issued) = actions.mint_token(organization.id, input).await.expect("a token");
    let client = Client::new(&world.app.url, &issued.token);
    let viewer = client.query("{ viewer { user { id } } }", json!({})).await;
    Person { id: text(&viewer["viewer"]["user"]["id"]), client }
}

async fn tenant_and_instance_are_separate_scopes(engine: Engine) {
    let world = World::new(engine).await;
    let places = [("clinic", "north"), ("clinic", "south"), ("hospital", "north")];
    let mut admins = Vec::new();
    for (tenant, instance) in places {
        admins.push(admin_of(&world, tenant, instance).await);
    }
    // Both names together are taken once; neither is by itself.
    let taken = NewOrganization {
        tenant_name: "clinic".into(),
        instance_name: "north".into(),
        name: "Again".into(),
        admin_name: "Ada".into(),
    };
    let refused = world.app.app.actions().create_organization(taken).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    let query = "query($id: String!) { organization { tenantName instanceName visitors { totalCount } }
        visitor(by: { externalId: $id }) { id } }";
    let mut patients = Vec::new();
    for (place, admin) in admins.iter().enumerate() {
        let before = admin.query(query, json!({ "id": "patient-1" })).await;
        assert_eq!(before["visitor"], Value::Null, "{place}");
        patients.push(visitor(&world.app, admin, "patient-1").await.id);
    }
    for (place, admin) in admins.iter().enumerate() {
        let found = admin.query(query, json!({ "id": "patient-1" })).await;
        let (tenant, instance) = places[place];
        let expected = json!({
            "organization": { "tenantName": tenant, "instanceName": instance, "visitors": { "totalCount": 1 } },
            "visitor": { "id": patients[place] },
        });
        assert_eq!(found, expected);
        let nodes =
            admin.query("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": patients })).await;
        let seen: Vec<_> = (0..3).map(|other| nodes["nodes"][other].is_object()).collect();
        assert_eq!(seen, [place == 0, place == 1, place == 2]);
    }
    world.app.stop().await;
}

async fn there_is_one_path(engine: Engine) {
    let world = World::new(engine).await;
    let http = reqwest::Client::new();
    let body = json!({ "query": "{ viewer { role } }" });
    let status = async |path: &str| {
        let request =
            http.post(format!("{}{path}", world.app.url)).bearer_auth(&world.admin.token).json(&body);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(status("/graphql").await, 200);
    for path in [
        "/clinic/main/patient/p/chat",
        "/clinic/main/patients/p/chat",
        "/clinic/main/calendar/events",
        "/clinic/main/graphql",
        "/graphql/patients",
    ] {
        assert_eq!(status(path).await, 404, "{path}");
    }
    world.app.stop().await;
}

struct Chat {
    world: World,
    olga: Person,
    id: String,
}

/// A chat with these messages, all of one moment.
async fn chat(engine: Engine, messages: &[&str]) -> Chat {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let id = world.chat(&vera).await;
    for message in messages {
        vera.done("sendMessage", "", json!({ "chatId": id, "text": message })).await;
    }
    Chat { world, olga, id }
}

impl Chat {
    async fn ask(&self, selection: &str) -> Value {
        let query = format!("query($id: ID!) {{ chat(id: $id) {{ {selection} }} }}");
        self.olga.ask(&query, json!({ "id": self.id })).await
    }

    async fn page(&self, list: &str) -> Value {
        let selection = format!(
            "page: {list} {{ pageInfo {{ startCursor endCursor hasPreviousPage hasNextPage }} totalCount
                edges {{ cursor node {{ text cursor }} }} }}"
        );
        let answer = self.ask(&selection).await;
        assert_eq!(answer.get("errors"), None, "{list}: {answer:#}");
        answer["data"]["chat"]["page"].clone()
    }
}

fn texts(page: &Value) -> Vec<String> {
    let edges = page["edges"].as_array().expect("edges");
    edges.iter().map(|edge| text(&edge["node"]["text"])).collect()
}

async fn a_cursor_carries_no_page_size(engine: Engine) {
    let chat = chat(engine, &["one", "two", "three", "four", "five", "six"]).await;
    let first = chat.page("messages(first: 2)").await;
    assert_eq!(texts(&first), ["one", "two"]);
    let cursor = text(&first["pageInfo"]["endCursor"]);
    // The next page has the size that is asked for, and without one the default, not that of the page before.
    for (size, expected) in [("first: 1, ", 1), ("first: 3, ", 3), ("", 4)] {
        let next = chat.page(&format!("messages({size}after: \"{cursor}\")")).await;
        assert_eq!(texts(&next), ["three", "four", "five", "six"][..expected]);
        assert_eq!(next["totalCount"], 6);
    }
    // Two sizes are no page, with a cursor or without.
    let cursor = text(&chat.page("messages(first: 1)").await["pageInfo"]["endCursor"]);
    for list in ["messages", "searchMessages"] {
        let query = if list == "messages" { "" } else { "query: \"one\", " };
        for arguments in ["first: 1, last: 1".to_owned(), format!("first: 1, last: 1, after: \"{cursor}\"")] {
            let answer = chat.ask(&format!("{list}({query}{arguments}) {{ totalCount }}")).await;
            assert!(
                ["BAD_USER_INPUT", "CURSOR_INVALID"].contains(&error_code(&answer).as_str()),
                "{list}({arguments})"
            );
        }
        let answer = chat.ask(&format!("{list}({query}first: 101) {{ totalCount }}")).await;
        assert_eq!(error_code(&answer), "BAD_USER_INPUT");
    }
    chat.world.app.stop().await;
}

async fn search_cursor_is_independent_of_other_arguments(engine: Engine) {
    let chat = chat(engine, &["hello 1", "other 1", "hello 2", "other 2", "hello 3"]).await;
    let first = chat.page("searchMessages(query: \"hello\", first: 1)").await;
    assert_eq!(texts(&first), ["hello 3"]);
    let cursor = text(&first["pageInfo"]["endCursor"]);
    // Each parameter is given again with the cursor, and counts as given: none is hidden in it.
    for (arguments, expected) in [
        ("query: \"hello\", first: 9", &["hello 2", "hello 1"][..]),
        ("query: \"HELLO\", includeArchived: true, first: 9", &["hello 2", "hello 1"]),
        ("query: \"other\", first: 9", &["other 2", "other 1"]),
        ("query: \"hello\", first: 1", &["hello 2"]),
        ("query: \"nothing\", first: 1", &[]),
    ] {
        let page = chat.page(&format!("searchMessages({arguments}, after: \"{cursor}\")")).await;
        assert_eq!(texts(&page), expected, "{arguments}");
    }
    // Without its query there is no search, cursor or not.
    let answer = chat.ask(&format!("searchMessages(first: 1, after: \"{cursor}\") {{ totalCount }}")).await;
    assert!(answer["errors"].is_array());
    // A place among hits is none in the list, nor the other way round.
    let answer = chat.ask(&format!("messages(first: 1, after: \"{cursor}\") {{ totalCount }}")).await;
    assert_eq!(error_code(&answer), "CURSOR_INVALID");
    let listed = text(&first["edges"][0]["node"]["cursor"]);
    let answer = chat
        .ask(&format!("searchMessages(query: \"hello\", first: 1, after: \"{listed}\") {{ totalCount }}"))
        .await;
    assert_eq!(error_code(&answer), "CURSOR_INVALID");
    chat.world.app.stop().await;
}

async fn every_listed_message_has_its_cursor(engine: Engine) {
    let messages = ["one", "two", "three", "four"];
    let chat = chat(engine, &messages).await;
    let all = chat.page("messages(first: 100)").await;
    assert_eq!(texts(&all), messages);
    for (place, edge) in all["edges"].as_array().expect("edges").iter().enumerate() {
        let cursor = text(&edge["cursor"]);
        assert_eq!(edge["node"]["cursor"], cursor);
        let older = chat.page(&format!("messages(last: 1, before: \"{cursor}\")")).await;
        assert_eq!(texts(&older), messages[place.saturating_sub(1)..place]);
        let newer = chat.page(&format!("messages(first: 1, after: \"{cursor}\")")).await;
        assert_eq!(texts(&newer), messages[place + 1..messages.len().min(place + 2)]);
    }
    chat.world.app.stop().await;
}

async fn hit_cursor_pages_to_neighbors_with_any_size(engine: Engine) {
    let messages = ["Hello0", "Test0", "Hello1", "Test1", "Hello2", "Test2", "Hello3", "Test3"];
    let chat = chat(engine, &messages).await;
    let mut after = String::new();
    let mut found = Vec::new();
    for _ in 0..2 {
        let hits = chat.page(&format!("searchMessages(query: \"hello\", first: 2{after})")).await;
        for edge in hits["edges"].as_array().expect("edges") {
            let (hit, cursor) = (text(&edge["node"]["text"]), text(&edge["node"]["cursor"]));
            let place = messages.iter().position(|message| *message == hit).expect("a message");
            // As many as the reader asks for, not as many as the page of hits had.
            for size in [1, 2, 3] {
                let older = chat.page(&format!("messages(last: {size}, before: \"{cursor}\")")).await;
                assert_eq!(texts(&older), messages[place.saturating_sub(size)..place], "{hit} {size}");
                let newer = chat.page(&format!("messages(first: {size}, after: \"{cursor}\")")).await;
                let end = messages.len().min(place + 1 + size);
                assert_eq!(texts(&newer), messages[place + 1..end], "{hit} {size}");
                assert_eq!(older["pageInfo"]["hasPreviousPage"], place > size);
                assert_eq!(newer["pageInfo"]["hasNextPage"], end < messages.len());
            }
            found.push(hit);
        }
        after = format!(", after: \"{}\"", text(&hits["pageInfo"]["endCursor"]));
    }
    assert_eq!(found, ["Hello3", "Hello2", "Hello1", "Hello0"]);
    chat.world.app.stop().await;
}

async fn equal_times_and_archived_messages_are_not_skipped(engine: Engine) {
    // Given ten messages of one moment, of which some are archived,
    let messages: Vec<String> = (0..10).map(|number| format!("needle {number}")).collect();
    let names: Vec<&str> = messages.iter().map(String::as_str).collect();
    let chat = chat(engine, &names).await;
    chat.world.pass(1);
    let before = "2026-11-20T12:00:00.001Z";
    chat.olga.done("archiveMessages", "", json!({ "chatId": chat.id, "before": before })).await;
    chat.olga.done("sendMessage", "", json!({ "chatId": chat.id, "text": "needle 10" })).await;
    let mut all = messages.clone();
    all.push("needle 10".to_owned());
    for (list, is_newest_first) in
        [("messages(types: [MESSAGE], ", false), ("searchMessages(query: \"needle\", ", true)]
    {
        // each is met once, one page of one after the other, in both directions, as long as archived ones are asked for
        for (size, from, side) in [("first: 1", "endCursor", "after"), ("last: 1", "startCursor", "before")] {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = chat.page(&format!("{list}includeArchived: true, {size}{cursor})")).await;
                found.extend(texts(&page));
                assert_eq!(page["totalCount"], 11);
                let is_more = if side == "after" { "hasNextPage" } else { "hasPreviousPage" };
                if page["pageInfo"][is_more] == false {
                    break;
                }
                cursor = format!(", {side}: \"{}\"", text(&page["pageInfo"][from]));
            }
            if is_newest_first == (side == "after") {
                found.reverse();
            }
            assert_eq!(found, all, "{list} {size}");
        }
        // and none where they are not, whatever page the cursor is of.
        let archived = chat.page(&format!("{list}includeArchived: true, first: 11)")).await;
        let place = if is_newest_first { 1 } else { 9 };
        let cursor = text(&archived["edges"][place]["cursor"]);
        let side = if is_newest_first { "last: 9, before" } else { "first: 9, after" };
        let page = chat.page(&format!("{list}{side}: \"{cursor}\")")).await;
        assert_eq!(texts(&page), ["needle 10"]);
    }
    let query = "{ organization { chats { nodes { id } } } }";
    assert_eq!(
        ids(&chat.olga.query(query, json!({})).await["organization"]["chats"]["nodes"]),
        [chat.id.as_str()]
    );
    chat.world.app.stop().await;
}
