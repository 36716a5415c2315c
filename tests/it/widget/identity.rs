//! Visitors whom the organization knows: identity tokens that its server signed, and forged ones.

use crate::harness::Engine;
use crate::harness::widget::{Widget, signed, under};
use crate::harness::world::{NOON_MILLIS, World, ids, text};
use crate::on_both;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

on_both!(
    invalid_signature_is_rejected,
    identity_token_claims_are_checked,
    a_known_visitor_has_their_chats,
    anonymous_visitor_is_not_merged_on_login,
    pages_that_open_at_once_make_one_visitor,
);

const NOON: i64 = NOON_MILLIS / 1_000;

async fn frozen(engine: Engine) -> (World, Widget) {
    let world = World::frozen(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    (world, widget)
}

async fn assert_refused(widget: &Widget, token: &str, what: &str) {
    let payload = widget.client.mutate("signInVisitor", "token", json!({ "identityToken": token })).await;
    assert_eq!(payload["token"], json!(null), "{what}");
    assert_eq!(payload["userErrors"][0]["code"], "INVALID", "{what}: {payload}");
    assert_eq!(payload["userErrors"][0]["field"], json!(["input", "identityToken"]), "{what}");
}

async fn invalid_signature_is_rejected(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let claims = widget.claims("vera", NOON + 600);
    let right = widget.identity(&claims);
    let parts: Vec<_> = right.split('.').collect();
    let room = json!({ "name": "Billing", "allowedOrigins": [] });
    let other = world.admin.done("createRoom", "identitySecret", room).await;
    let with = |algorithm: Algorithm, secret: &str| {
        signed(algorithm, &EncodingKey::from_secret(secret.as_bytes()), &claims)
    };
    let mut later = claims.clone();
    later["sub"] = json!("olga");
    let forged_claims = URL_SAFE_NO_PAD.encode(later.to_string());
    let cases = [
        ("another room's secret", with(Algorithm::HS256, &text(&other["identitySecret"]))),
        ("no secret", with(Algorithm::HS256, "")),
        ("the public key", with(Algorithm::HS256, &widget.client.token)),
        ("HS384", with(Algorithm::HS384, &widget.secret)),
        ("HS512", with(Algorithm::HS512, &widget.secret)),
        ("RS256", under(&json!({ "alg": "RS256", "typ": "JWT" }), &right, &widget.secret)),
        ("ES256", under(&json!({ "alg": "ES256" }), &right, &widget.secret)),
        ("none", under(&json!({ "alg": "none" }), &right, &widget.secret)),
        ("none, unsigned", format!("{}.{}.", URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}"), parts[1])),
        ("critical extensions", under(&json!({ "alg": "HS256", "crit": ["exp"] }), &right, &widget.secret)),
        ("an unencoded payload", under(&json!({ "alg": "HS256", "b64": false }), &right, &widget.secret)),
        ("compression", under(&json!({ "alg": "HS256", "zip": "DEF" }), &right, &widget.secret)),
        ("no algorithm", under(&json!({ "typ": "JWT" }), &right, &widget.secret)),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("other claims", format!("{}.{forged_claims}.{}", parts[0], parts[2])),
        ("a token of the server's", world.admin.token.clone()),
    ];
    for (what, token) in cases {
        assert_refused(&widget, &token, what).await;
    }
    world.admin.done("rotateIdentitySecret", "", json!({ "roomId": world.room })).await;
    assert_refused(&widget, &right, "the secret before").await;
    world.app.stop().await;
}

async fn identity_token_claims_are_checked(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let with = |field: &str, value: Value| {
        let mut claims = widget.claims("vera", NOON + 600);
        if value.is_null() {
            claims.as_object_mut().expect("claims").remove(field);
        } else {
            claims[field] = value;
        }
        claims
    };
    let many: Value =
        (0..51).map(|number| (number.to_string(), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    let cases = [
        with("aud", Value::Null),
        with("aud", json!("anteroom")),
        with("aud", json!([])),
        with("exp", Value::Null),
        with("exp", json!("soon")),
        with("exp", json!(NOON - 60)),
        with("exp", json!(NOON - 86_400)),
        with("exp", json!(NOON + 3_661)),
        with("exp", json!(1e300)),
        with("nbf", json!(NOON + 61)),
        with("nbf", json!(i64::MAX)),
        with("nbf", json!("now")),
        with("exp", json!(i64::MAX)),
        with("sub", Value::Null),
        with("sub", json!("")),
        with("sub", json!("a\nb")),
        with("name", json!("")),
        with("name", json!(7)),
        with("attributes", json!("x")),
        with("attributes", json!({ "plan": 7 })),
        with("attributes", json!({ "": "x" })),
    ];
    for claims in &cases {
        assert_refused(&widget, &widget.identity(claims), &claims.to_string()).await;
    }
    for (field, value, code) in [
        ("sub", json!("x".repeat(129)), "TOO_LONG"),
        ("name", json!("x".repeat(201)), "TOO_LONG"),
        ("attributes", many, "TOO_MANY"),
    ] {
        let token = widget.identity(&with(field, value));
        assert_eq!(widget.client.refused("signInVisitor", json!({ "identityToken": token })).await, [code]);
    }
    for claims in [
        with("exp", json!(NOON - 59)),
        with("exp", json!(NOON + 3_660)),
        with("exp", json!(1_795_176_600.25)),
        with("nbf", json!(NOON + 60)),
        with("nbf", json!(NOON - 86_400)),
    ] {
        widget.sign_in(json!({ "identityToken": widget.identity(&claims) })).await;
    }
    world.app.stop().await;
}

async fn a_known_visitor_has_their_chats(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let mut claims = widget.claims("vera", NOON + 600);
    claims["name"] = json!("Vera");
    claims["attributes"] = json!({ "plan": "gold", "area": "north" });
    let payload = widget.sign_in(json!({ "identityToken": widget.identity(&claims) })).await;
    let visitor = &payload["viewer"]["visitor"];
    assert_eq!((&visitor["id"], &visitor["displayName"]), (&json!(vera.id), &json!("Vera")));
    let query = "query($id: ID!) { visitor(by: { id: $id }) { attributes { name value } } }";
    let known = world.admin.query(query, json!({ "id": vera.id })).await;
    let expected = json!([{ "name": "plan", "value": "gold" }, { "name": "area", "value": "north" }]);
    assert_eq!(known["visitor"]["attributes"], expected);
    let plain = widget.identity(&widget.claims("vera", NOON + 600));
    let guest =
        widget.guest(json!({ "identityToken": plain, "refreshToken": payload["refreshToken"] })).await;
    let inbox = "{ viewer { inbox { nodes { id } } visitor { displayName } } }";
    let found = guest.query(inbox, json!({})).await;
    assert_eq!(ids(&found["viewer"]["inbox"]["nodes"]), [chat]);
    assert_eq!(found["viewer"]["visitor"]["displayName"], "Vera", "absent claims are unchanged");
    // The page went on with the sign-in that it had.
    world.pass(61);
    let refused =
        widget.client.refused("signInVisitor", json!({ "refreshToken": payload["refreshToken"] })).await;
    assert_eq!(refused, ["INVALID"]);
    world.app.stop().await;
}

async fn anonymous_visitor_is_not_merged_on_login(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let nobody = widget.guest(json!({})).await;
    let chat = world.chat(&nobody.person).await;
    let token = widget.identity(&widget.claims("vera", NOON + 600));
    let input = json!({ "identityToken": token, "refreshToken": nobody.refresh_token });
    let vera = widget.guest(input).await;
    assert_ne!(vera.person.id, nobody.person.id);
    let query = "query($id: ID!) { chat(id: $id) { id } }";
    assert_eq!(vera.query(query, json!({ "id": chat })).await["chat"], json!(null));
    // The other refresh token was not used either.
    world.pass(61);
    let again = widget.guest(json!({ "refreshToken": nobody.refresh_token })).await;
    assert_eq!(again.person.id, nobody.person.id);
    world.app.stop().await;
}

async fn pages_that_open_at_once_make_one_visitor(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let input = json!({ "identityToken": widget.identity(&widget.claims("vera", NOON + 600)) });
    let pages = (0..6).map(|_| widget.guest(input.clone()));
    let guests = futures_util::future::join_all(pages).await;
    assert!(guests.iter().all(|guest| guest.person.id == guests[0].person.id));
    world.app.stop().await;
}
