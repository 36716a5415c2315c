//! The policy as tables: each action by each role.

use crate::harness::calls::outcome;
use crate::harness::client::{Client, error_code};
use crate::harness::scene::{Place, Scene};
use crate::harness::world::NOON;
use crate::harness::{Engine, TestApp, sdl};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    chat_permissions_of_roles_match_the_table,
    organization_permissions_of_roles_match_the_table,
    viewer_actions_match_policy,
);

/// The outcome of each verb by each person, tried row by row: `done`, or the code of the refusal.
/// Victor and Otto participate in no chat. Vera and Olga talk; the direct chat is Olga's with Odile.
const IN_CHATS: [(&str, &str); 4] = [
    (
        "public",
        "                    victor     vera                otto             olga                admin               program
        markRead            NOT_FOUND  done                done             done                done                FORBIDDEN
        updateParticipation NOT_FOUND  done                NOT_PARTICIPANT  done                NOT_PARTICIPANT     FORBIDDEN
        setTyping           NOT_FOUND  done                done             done                done                FORBIDDEN
        updateChat          FORBIDDEN  FORBIDDEN           done             done                done                FORBIDDEN
        sendMessage         NOT_FOUND  done                done             done                done                INVALID
        sendMessageFor      FORBIDDEN  done                FORBIDDEN        FORBIDDEN           done                done
        tagChat             FORBIDDEN  FORBIDDEN           done             done                done                FORBIDDEN
        untagChat           FORBIDDEN  FORBIDDEN           done             done                done                FORBIDDEN
        suggest             FORBIDDEN  FORBIDDEN           done             done                done                INVALID
        createUpload        NOT_FOUND  done                done             done                done                done
        joinChat            FORBIDDEN  FORBIDDEN           done             done                done                FORBIDDEN
        keepPresence        FORBIDDEN  FORBIDDEN           done             done                done                FORBIDDEN
        leaveChat           NOT_FOUND  INVALID             done             done                done                FORBIDDEN
        createChatSession   NOT_FOUND  done                done             done                done                FORBIDDEN
        updateChatSession   NOT_FOUND  done                NOT_PARTICIPANT  done                done                FORBIDDEN
        startChatSession    NOT_FOUND  done                NOT_PARTICIPANT  INVALID_TRANSITION  INVALID_TRANSITION  FORBIDDEN
        acceptChatSession   NOT_FOUND  INVALID_TRANSITION  NOT_PARTICIPANT  done                NOT_PARTICIPANT     FORBIDDEN
        rejectChatSession   NOT_FOUND  INVALID_TRANSITION  NOT_PARTICIPANT  INVALID_TRANSITION  NOT_PARTICIPANT     FORBIDDEN
        finishChatSession   NOT_FOUND  done                NOT_PARTICIPANT  done                done                FORBIDDEN
        archiveMessages     FORBIDDEN  FORBIDDEN           done             done                done                FORBIDDEN
        restoreMessages     FORBIDDEN  FORBIDDEN           done             done                done                FORBIDDEN
        writeNote           FORBIDDEN  FORBIDDEN           done             done                done                INVALID
        addReaction         NOT_FOUND  done                done             done                done                FORBIDDEN
        removeReaction      NOT_FOUND  done                done             done                done                FORBIDDEN
        editMessage         NOT_FOUND  done                INVALID             INVALID             INVALID             FORBIDDEN
        deleteMessage       NOT_FOUND  done                INVALID             INVALID             done                FORBIDDEN
        addParticipants     FORBIDDEN  FORBIDDEN           done             done                done                FORBIDDEN
        removeParticipant   NOT_FOUND  INVALID             done             done                done                FORBIDDEN
        endChat             NOT_FOUND  done                done             done                done                FORBIDDEN
        deleteChat          FORBIDDEN  FORBIDDEN           INVALID          INVALID             done                FORBIDDEN",
    ),
    (
        "private",
        "                    victor     vera                otto             olga                admin               program
        markRead            NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        updateParticipation NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        updateParticipation NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        setTyping           NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        updateChat          FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        sendMessage         NOT_FOUND  done                NOT_FOUND        done                done                INVALID
        sendMessageFor      FORBIDDEN  done                FORBIDDEN        FORBIDDEN           done                NOT_FOUND
        tagChat             FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        untagChat           FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        suggest             FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                INVALID
        createUpload        NOT_FOUND  done                NOT_FOUND        done                done                NOT_FOUND
        joinChat            FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        keepPresence        FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        leaveChat           NOT_FOUND  INVALID             NOT_FOUND        done                done                FORBIDDEN
        createChatSession   NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        updateChatSession   NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        startChatSession    NOT_FOUND  done                NOT_FOUND        INVALID_TRANSITION  INVALID_TRANSITION  FORBIDDEN
        acceptChatSession   NOT_FOUND  INVALID_TRANSITION  NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        rejectChatSession   NOT_FOUND  INVALID_TRANSITION  NOT_FOUND        INVALID_TRANSITION  NOT_PARTICIPANT     FORBIDDEN
        finishChatSession   NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        archiveMessages     FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        restoreMessages     FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        writeNote           FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                INVALID
        addReaction         NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        removeReaction      NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        editMessage         NOT_FOUND  done                NOT_FOUND        INVALID             INVALID             FORBIDDEN
        deleteMessage       NOT_FOUND  done                NOT_FOUND        INVALID             done                FORBIDDEN
        addParticipants     FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        removeParticipant   NOT_FOUND  INVALID             NOT_FOUND        done                done                FORBIDDEN
        endChat             NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        deleteChat          FORBIDDEN  FORBIDDEN           NOT_FOUND        INVALID             done                FORBIDDEN",
    ),
    (
        "direct",
        "                    victor     vera                otto             olga                admin               program
        markRead            NOT_FOUND  NOT_FOUND           NOT_FOUND        done                done                FORBIDDEN
        updateParticipation NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        setTyping           NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        updateChat          FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        sendMessage         NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     INVALID
        sendMessageFor      FORBIDDEN  NOT_FOUND           FORBIDDEN        FORBIDDEN           NOT_FOUND           NOT_FOUND
        tagChat             FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        untagChat           FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        suggest             FORBIDDEN  FORBIDDEN           NOT_FOUND        INVALID             NOT_PARTICIPANT     INVALID
        createUpload        NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     NOT_FOUND
        joinChat            FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        keepPresence        FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PRESENT         FORBIDDEN
        createChatSession   NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        updateChatSession   NOT_FOUND  NOT_FOUND           NOT_FOUND        done                done                FORBIDDEN
        startChatSession    NOT_FOUND  NOT_FOUND           NOT_FOUND        done                INVALID_TRANSITION  FORBIDDEN
        acceptChatSession   NOT_FOUND  NOT_FOUND           NOT_FOUND        INVALID_TRANSITION  NOT_PARTICIPANT     FORBIDDEN
        rejectChatSession   NOT_FOUND  NOT_FOUND           NOT_FOUND        INVALID_TRANSITION  NOT_PARTICIPANT     FORBIDDEN
        finishChatSession   NOT_FOUND  NOT_FOUND           NOT_FOUND        done                done                FORBIDDEN
        archiveMessages     FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        restoreMessages     FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        writeNote           FORBIDDEN  FORBIDDEN           NOT_FOUND        INVALID             NOT_PARTICIPANT     INVALID
        addReaction         NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        removeReaction      NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        editMessage         NOT_FOUND  NOT_FOUND           NOT_FOUND        INVALID             NOT_PARTICIPANT     FORBIDDEN
        deleteMessage       NOT_FOUND  NOT_FOUND           NOT_FOUND        INVALID             NOT_PARTICIPANT     FORBIDDEN
        addParticipants     FORBIDDEN  FORBIDDEN           NOT_FOUND        INVALID             INVALID             FORBIDDEN
        removeParticipant   NOT_FOUND  NOT_FOUND           NOT_FOUND        INVALID             INVALID             FORBIDDEN
        endChat             NOT_FOUND  NOT_FOUND           NOT_FOUND        INVALID             NOT_PARTICIPANT     FORBIDDEN
        deleteChat          FORBIDDEN  FORBIDDEN           NOT_FOUND        INVALID             done                FORBIDDEN",
    ),
    (
        "group",
        "                    victor     vera                otto             olga                admin               program
        markRead            NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        setTyping           NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        updateChat          FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        sendMessage         NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     INVALID
        sendMessageFor      FORBIDDEN  done                FORBIDDEN        FORBIDDEN           NOT_PARTICIPANT     NOT_FOUND
        tagChat             FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        untagChat           FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        suggest             FORBIDDEN  FORBIDDEN           NOT_FOUND        INVALID             NOT_PARTICIPANT     INVALID
        createUpload        NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     NOT_FOUND
        joinChat            FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        keepPresence        FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PRESENT         FORBIDDEN
        createChatSession   NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        updateChatSession   NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        startChatSession    NOT_FOUND  done                NOT_FOUND        INVALID_TRANSITION  INVALID_TRANSITION  FORBIDDEN
        acceptChatSession   NOT_FOUND  INVALID_TRANSITION  NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        rejectChatSession   NOT_FOUND  INVALID_TRANSITION  NOT_FOUND        INVALID_TRANSITION  NOT_PARTICIPANT     FORBIDDEN
        finishChatSession   NOT_FOUND  done                NOT_FOUND        done                done                FORBIDDEN
        archiveMessages     FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        restoreMessages     FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        writeNote           FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_PARTICIPANT     INVALID
        addReaction         NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        removeReaction      NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        editMessage         NOT_FOUND  done                NOT_FOUND        INVALID             NOT_PARTICIPANT     FORBIDDEN
        deleteMessage       NOT_FOUND  done                NOT_FOUND        INVALID             NOT_PARTICIPANT     FORBIDDEN
        addParticipants     FORBIDDEN  FORBIDDEN           NOT_FOUND        done                done                FORBIDDEN
        removeParticipant   NOT_FOUND  INVALID             NOT_FOUND        done                done                FORBIDDEN
        endChat             NOT_FOUND  INVALID             NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        deleteChat          FORBIDDEN  FORBIDDEN           NOT_FOUND        done                NOT_FOUND           FORBIDDEN",
    ),
];

/// Leaving a chat among participants, and what is left to do after it.
const LEAVING: [(&str, &str); 2] = [
    (
        "direct",
        "                    victor     vera                otto             olga                admin               program
        leaveChat           NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        leaveChat           NOT_FOUND  NOT_FOUND           NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        sendMessage         NOT_FOUND  NOT_FOUND           NOT_FOUND        NOT_FOUND           NOT_PARTICIPANT     INVALID",
    ),
    (
        "group",
        "                    victor     vera                otto             olga                admin               program
        leaveChat           NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        leaveChat           NOT_FOUND  done                NOT_FOUND        done                NOT_PARTICIPANT     FORBIDDEN
        sendMessage         NOT_FOUND  NOT_FOUND           NOT_FOUND        NOT_FOUND           NOT_PARTICIPANT     INVALID",
    ),
];

/// The same for what is not in a chat.
const IN_ORGANIZATION: &str = "
                            vera       otto       admin      program    widget
        updateOrganization  FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        createRoom          FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        updateRoom          FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        addRoomMembers      FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        removeRoomMembers   FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        createUser          FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        updateUser          FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        upsertVisitor       FORBIDDEN  FORBIDDEN  done       done       FORBIDDEN
        upsertShoppingCart  FORBIDDEN  FORBIDDEN  done       done       FORBIDDEN
        issueVisitorToken   FORBIDDEN  FORBIDDEN  done       done       FORBIDDEN
        issueUserToken      FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        issueProgramToken   FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        startChat           done       INVALID    INVALID    INVALID    FORBIDDEN
        startChatFor        NOT_FOUND  done       done       done       FORBIDDEN
        startChatAndJoin    FORBIDDEN  FORBIDDEN  done       done       FORBIDDEN
        createGroupChat     FORBIDDEN  done       done       FORBIDDEN  FORBIDDEN
        createDirectChat    FORBIDDEN  done       done       FORBIDDEN  FORBIDDEN
        rotateWidgetKey     FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        rotateIdentitySecret FORBIDDEN FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        listRooms           null       done       done       done       FORBIDDEN
        listUsers           null       done       done       done       FORBIDDEN
        listVisitors        null       done       done       done       FORBIDDEN
        listChats           done       done       done       done       FORBIDDEN
        listSessions        done       done       done       done       FORBIDDEN
        createWebhook       FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        updateWebhook       FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        redeliverWebhook    FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        listWebhooks        null       null       done       null       FORBIDDEN
        rotateSigningSecret FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        deleteWebhook       FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        revokeTokens        FORBIDDEN  FORBIDDEN  done       FORBIDDEN  FORBIDDEN
        signInVisitor       FORBIDDEN  FORBIDDEN  FORBIDDEN  FORBIDDEN  done
        renewToken          done       done       done       done       FORBIDDEN
        signOut             done       done       done       done       FORBIDDEN";

/// The cells of a table: verb, who, outcome.
fn cells(table: &'static str) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let people = rows.find(|row| !row.is_empty()).expect("a header");
    rows.flat_map(|row| {
        let cells = people.iter().zip(row[1..].to_vec());
        cells.map(|(who, outcome)| (row[0], *who, outcome)).collect::<Vec<_>>()
    })
    .collect()
}

fn client<'a>(scene: &'a Scene, who: &str) -> &'a Client {
    match who {
        "victor" => &scene.victor,
        "vera" => &scene.vera,
        "otto" => &scene.otto,
        "olga" => &scene.olga,
        "admin" => &scene.admin,
        "program" => &scene.program,
        "widget" => &scene.widget.client,
        other => panic!("unknown person {other}"),
    }
}

/// The mutation and the input of a verb.
fn call<'a>(scene: &Scene, place: &Place, verb: &'a str) -> (&'a str, Value) {
    let (chat, session) = (&place.chat, &place.session);
    match verb {
        "markRead" => (verb, json!({ "chatId": chat, "throughSequence": i32::MAX })),
        "setTyping" => (verb, json!({ "chatId": chat, "isTyping": true })),
        "sendMessage" => (verb, json!({ "chatId": chat, "text": "Hello" })),
        "sendMessageFor" => {
            ("sendMessage", json!({ "chatId": chat, "text": "Hello", "senderId": scene.vera.id }))
        }
        "editMessage" => (verb, json!({ "messageId": place.message, "text": "Good day" })),
        "writeNote" => ("sendMessage", json!({ "chatId": chat, "text": "Hello", "isInternal": true })),
        "addReaction" | "removeReaction" => (verb, json!({ "messageId": place.message, "emoji": "👍" })),
        "deleteMessage" => (verb, json!({ "messageId": place.message })),
        "updateOrganization" => (verb, json!({ "editWindowMinutes": 30 })),
        "suggest" => ("suggestMessage", json!({ "chatId": chat, "text": "May I help?" })),
        "startChatAndJoin" => (
            "startChat",
            json!({ "roomId": scene.room, "visitorId": scene.victor.id, "autoResumeUserId": scene.odile.id }),
        ),
        "createUpload" => {
            (verb, json!({ "chatId": chat, "name": "a.txt", "mediaType": "text/plain", "size": 1 }))
        }
        "tagChat" | "untagChat" => (verb, json!({ "chatId": chat, "tags": ["vip"] })),
        "archiveMessages" => (verb, json!({ "chatId": chat, "before": NOON })),
        "addParticipants" => (verb, json!({ "chatId": chat, "participantIds": [scene.odile.id] })),
        "removeParticipant" => (verb, json!({ "chatId": chat, "participantId": scene.odile.id })),
        "createDirectChat" => (verb, json!({ "participantId": scene.odile.id })),
        "updateRoom" | "startChat" => (verb, json!({ "roomId": scene.room })),
        "rotateWidgetKey" | "rotateIdentitySecret" => (verb, json!({ "roomId": scene.spare_room })),
        "addRoomMembers" | "removeRoomMembers" => {
            (verb, json!({ "roomId": scene.spare_room, "userIds": [scene.odile.id] }))
        }
        "createRoom" => (verb, json!({ "name": "Room" })),
        "createUser" => (verb, json!({ "name": "Oda", "role": "OPERATOR" })),
        "updateUser" => (verb, json!({ "userId": scene.odile.id })),
        "upsertShoppingCart" => (
            verb,
            json!({ "externalId": "c", "visitorId": scene.vera.id, "currency": "EUR", "products": [] }),
        ),
        "upsertVisitor" => (verb, json!({ "externalId": "v" })),
        "issueVisitorToken" => ("issueToken", json!({ "subject": { "actorId": scene.victor.id } })),
        "issueUserToken" => ("issueToken", json!({ "subject": { "actorId": scene.odile.id } })),
        "issueProgramToken" => ("issueToken", json!({ "subject": { "apiClientName": "archive" } })),
        "startChatFor" => ("startChat", json!({ "roomId": scene.room, "visitorId": scene.victor.id })),
        "createGroupChat" => (verb, json!({ "participantIds": [] })),
        "createWebhook" => (
            verb,
            json!({ "url": "https://x.example.org/", "events": ["CHAT_ENDED"], "apiKey": "k", "apiSecret": "s" }),
        ),
        "signInVisitor" | "renewToken" | "signOut" => (verb, json!({})),
        "revokeTokens" => (verb, json!({ "actorId": scene.odile.id })),
        "updateWebhook" | "deleteWebhook" | "rotateSigningSecret" => {
            (verb, json!({ "webhookId": scene.webhook }))
        }
        "redeliverWebhook" => (verb, json!({ "deliveryId": scene.delivery })),
        verb if verb.ends_with("ChatSession") && verb != "createChatSession" => {
            (verb, json!({ "chatSessionId": session }))
        }
        "createChatSession" => (verb, json!({ "in": { "chat": { "id": chat } } })),
        verb => (verb, json!({ "chatId": chat })),
    }
}

async fn code(by: &Client, scene: &Scene, place: &Place, verb: &str) -> String {
    if let Some(list) = verb.strip_prefix("list") {
        let list = if list == "Sessions" { "chatSessions".to_owned() } else { list.to_lowercase() };
        let answer = by.ask(&format!("{{ organization {{ {list} {{ totalCount }} }} }}"), json!({})).await;
        let is_null = answer["data"]["organization"][&list].is_null();
        return match answer.get("errors") {
            Some(_) => error_code(&answer),
            None if is_null => "null".into(),
            None => "done".into(),
        };
    }
    let (mutation, input) = call(scene, place, verb);
    let outcome = outcome(by, mutation, &input).await;
    outcome.split(' ').next().unwrap_or_default().to_owned()
}

async fn chat_permissions_of_roles_match_the_table(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    for ((kind, table), (_, place)) in IN_CHATS.into_iter().zip(scene.places()) {
        for (verb, who, expected) in cells(table) {
            let found = code(client(&scene, who), &scene, place, verb).await;
            assert_eq!(found, expected, "{verb} by {who} in the {kind} chat");
        }
    }
    let scene = Scene::new(&app, "practice").await;
    for ((kind, table), place) in LEAVING.into_iter().zip([&scene.direct, &scene.group]) {
        for (verb, who, expected) in cells(table) {
            let found = code(client(&scene, who), &scene, place, verb).await;
            assert_eq!(found, expected, "{verb} by {who}, after leaving the {kind} chat");
        }
    }
    app.stop().await;
}

async fn organization_permissions_of_roles_match_the_table(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let tables = [IN_CHATS[0].1, IN_ORGANIZATION];
    for mutation in sdl::fields("Mutation").keys() {
        let is_tried = |(verb, ..): (&str, &str, &str)| {
            !verb.starts_with("list") && call(&scene, &scene.public, verb).0 == mutation
        };
        assert!(tables.into_iter().flat_map(cells).any(is_tried), "{mutation} is in no table");
    }
    for (verb, who, expected) in cells(IN_ORGANIZATION) {
        let found = code(client(&scene, who), &scene, &scene.public, verb).await;
        assert_eq!(found, expected, "{verb} by {who}");
    }
    app.stop().await;
}

async fn viewer_actions_match_policy(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let query = "query($id: ID!) { chat(id: $id) { viewerActions } }";
    for ((kind, table), (_, place)) in IN_CHATS.into_iter().zip(scene.places()) {
        for who in ["victor", "vera", "otto", "olga", "admin", "program"] {
            let found = client(&scene, who).query(query, json!({ "id": place.chat })).await;
            let offers = |action: &str| {
                found["chat"]["viewerActions"]
                    .as_array()
                    .is_some_and(|actions| actions.contains(&json!(action)))
            };
            let may = |verb: &str| cells(table).contains(&(verb, who, "done"));
            let what = format!("{who} in the {kind} chat: {found}");
            assert_eq!(offers("SEND"), may("sendMessage"), "{what}");
            // Only Olga has joined so far.
            assert_eq!(offers("JOIN"), may("joinChat") && who != "olga", "{what}");
            // Participants leave a GROUP or DIRECT chat; in a VISITOR chat only users who are present do.
            let leaves = who == "olga" || (kind == "group" && who == "vera");
            assert_eq!(offers("LEAVE"), leaves, "{what}");
            assert_eq!(offers("TAG"), may("tagChat"), "{what}");
            assert_eq!(offers("END"), may("endChat"), "{what}");
            assert_eq!(offers("CHANGE_PARTICIPANTS"), may("addParticipants"), "{what}");
            assert_eq!(offers("UPDATE"), may("updateChat"), "{what}");
            // The group's owner was faster than the admin.
            assert_eq!(offers("DELETE"), may("deleteChat") || who == "admin", "{what}");
            assert_eq!(offers("START_SESSION"), may("createChatSession"), "{what}");
        }
    }
    app.stop().await;
}
