//! The scope of searches: only visible chats, and archived messages only on request.

use super::{WAYS, clinic, in_chat, in_organization, say, search_by, texts};
use crate::harness::client::{Client, error_code, is_null};
use crate::harness::scene::Scene;
use crate::harness::{Engine, TestApp};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    a_search_finds_only_in_chats_that_the_viewer_sees,
    archived_messages_are_found_only_when_asked_for,
    a_search_can_be_about_one_visitor,
    acknowledged_message_is_found_at_once_and_refused_one_never,
);

async fn a_search_finds_only_in_chats_that_the_viewer_sees(engine: Engine) {
    let app = TestApp::start(engine).await;
    let (own, their) = (Scene::new(&app, "clinic").await, Scene::new(&app, "hospital").await);
    for scene in [&own, &their] {
        for (kind, place) in scene.places() {
            say(&scene.olga, &place.chat, &format!("needle {kind}")).await;
        }
    }
    let viewers: [(&str, &Client, &[&str]); 5] = [
        ("admin", &own.admin, &["group", "direct", "private", "public"]),
        ("olga", &own.olga, &["group", "direct", "private", "public"]),
        ("odile", &own.odile, &["group", "direct", "public"]),
        ("otto", &own.otto, &["public"]),
        ("program", &own.program, &["public"]),
    ];
    for by in WAYS {
        search_by(&app, by);
        for (who, viewer, kinds) in viewers {
            let expected: Vec<_> = kinds.iter().map(|kind| format!("needle {kind}")).collect();
            let found = in_organization(viewer, json!({ "query": "needle" })).await;
            assert_eq!(texts(&found), expected, "{who} by {by:?}");
            assert_eq!(found["totalCount"], expected.len(), "{who} by {by:?}");
            assert_eq!(found["pageInfo"]["hasNextPage"], false, "{who} by {by:?}");
        }
        // A visitor searches their own chats, one at a time.
        for (kind, place) in own.places().into_iter().filter(|(kind, _)| *kind != "direct") {
            let found = in_chat(&own.vera, &place.chat, json!({ "query": "needle" })).await;
            assert_eq!(texts(&found), [format!("needle {kind}")]);
        }
    }
    let query = "{ organization { searchMessages(query: \"needle\") { nodes { text } } } }";
    let answer = own.vera.ask(query, json!({})).await;
    assert!(is_null(&answer, "/organization/searchMessages"));
    // A cursor made of another organization's chat is no way in.
    let theirs = in_organization(&their.admin, json!({ "query": "needle" })).await;
    for edge in theirs["edges"].as_array().expect("edges") {
        for side in ["after", "before"] {
            let found = in_organization(&own.otto, json!({ "query": "needle", side: edge["cursor"] })).await;
            assert!(texts(&found).iter().all(|text| text == "needle public"), "{found:#}");
        }
    }
    app.stop().await;
}

async fn archived_messages_are_found_only_when_asked_for(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    let other = world.chat(&vera).await;
    for number in 0..4 {
        say(&vera, &chat, &format!("needle {number}")).await;
        world.pass(1);
    }
    say(&vera, &other, "needle elsewhere").await;
    let before = crate::harness::world::NOON.replace("00:00.000Z", "00:02.000Z");
    olga.done("archiveMessages", "", json!({ "chatId": chat, "before": before })).await;
    let all = ["needle 3", "needle 2", "needle 1", "needle 0"];
    for by in WAYS {
        search_by(&world.app, by);
        let query = || json!({ "query": "needle" });
        assert_eq!(texts(&in_chat(&olga, &chat, query()).await), all[..2], "{by:?}");
        let found = in_chat(&olga, &chat, json!({ "query": "needle", "archived": true })).await;
        assert_eq!(texts(&found), all, "{by:?}");
        let found = in_organization(&olga, query()).await;
        assert_eq!(texts(&found), [&["needle elsewhere"], &all[..2]].concat(), "{by:?}");
        assert_eq!(found["totalCount"], 3);
        let filter = json!({ "query": "needle", "archived": true });
        let found = in_organization(&olga, filter).await;
        assert_eq!(texts(&found), [&["needle elsewhere"], &all[..]].concat(), "{by:?}");
    }
    olga.done("restoreMessages", "", json!({ "chatId": chat })).await;
    assert_eq!(texts(&in_chat(&vera, &chat, json!({ "query": "needle" })).await), all);
    world.app.stop().await;
}

async fn a_search_can_be_about_one_visitor(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    let victor = world.visitor("victor").await;
    let others = world.chat(&victor).await;
    say(&olga, &chat, "needle for Vera").await;
    say(&olga, &others, "needle for Victor").await;
    let again = world.chat(&vera).await;
    say(&vera, &again, "another needle").await;
    let about = |id: &str| json!({ "query": "needle", "filter": { "visitorId": id } });
    for by in WAYS {
        search_by(&world.app, by);
        let found = in_organization(&olga, about(&vera.id)).await;
        assert_eq!(texts(&found), ["another needle", "needle for Vera"], "{by:?}");
        assert_eq!(texts(&in_organization(&olga, about(&victor.id)).await), ["needle for Victor"]);
    }
    // A user's id is no visitor's.
    let found = in_organization(&olga, about(&olga.id)).await;
    assert_eq!((texts(&found).len(), &found["totalCount"]), (0, &json!(0)));
    let query =
        "{ organization { searchMessages(query: \"needle\", filter: { visitorId: \"?\" }) { totalCount } } }";
    assert_eq!(error_code(&olga.ask(query, json!({})).await), "BAD_USER_INPUT");
    world.app.stop().await;
}

async fn acknowledged_message_is_found_at_once_and_refused_one_never(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    let input = json!({ "chatId": chat, "text": "needle", "externalId": "one" });
    vera.done("sendMessage", "", input.clone()).await;
    vera.done("sendMessage", "", input).await;
    let other = json!({ "chatId": chat, "text": "another needle", "externalId": "one" });
    assert_eq!(vera.refused("sendMessage", other).await, ["CONFLICT"]);
    let room = json!({ "roomId": world.room, "message": "a third needle" });
    vera.done("startChat", "", room).await;
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    let late = json!({ "chatId": chat, "text": "a late needle" });
    assert_eq!(vera.refused("sendMessage", late).await, ["CHAT_ENDED"]);
    for by in WAYS {
        search_by(&world.app, by);
        let found: Value = in_organization(&olga, json!({ "query": "needle" })).await;
        assert_eq!(texts(&found), ["a third needle", "needle"], "{by:?}");
    }
    world.app.stop().await;
}
