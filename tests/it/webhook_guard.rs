//! Addresses of webhooks: nothing on this machine or in its networks can be reached unless the operator
//! allows it, in any notation and with any DNS answer.

use crate::harness::Engine;
use crate::harness::hooks::{after_attempts, delivered, hook, say};
use crate::harness::receiver::Receiver;
use crate::harness::world::World;
use crate::on_both;
use anteroom::config::Config;
use anteroom::delivery::{Allowed, Resolver};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

on_both!(
    non_public_url_is_refused,
    names_are_checked_at_each_delivery,
    plain_http_is_limited_to_allowed_networks,
);

fn resolving(config: &mut Config, answer: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) {
    config.webhooks.resolver = Resolver::Function(Arc::new(answer));
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

async fn non_public_url_is_refused(engine: Engine) {
    let world = World::frozen(engine).await;
    let input = |url: &str| json!({ "url": url, "events": ["CHAT_ENDED"], "apiKey": "k", "apiSecret": "s" });
    let refused = [
        "",
        "example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://example.org/",
        "https://user:word@example.org/",
        "https://example.org/#part",
        "https://127.0.0.1/",
        "https://0177.0.0.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:c0a8:101::]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1:8443/",
        "https://93.184.216.34:8443/",
        "https://hooks.example.org:6379/",
        "https://192.168.1.1/",
        "https://0.0.0.0/",
    ];
    let made = hook(&world.admin, "https://hooks.example.org/", &["CHAT_ENDED"]).await;
    for url in refused {
        assert_eq!(world.admin.refused("createWebhook", input(url)).await, ["INVALID"], "{url}");
        let change = json!({ "webhookId": made.id, "url": url });
        assert_eq!(world.admin.refused("updateWebhook", change).await, ["INVALID"], "{url}");
    }
    for url in ["https://93.184.216.34/", "https://[2606:4700:4700::1111]:443/a?b=c", "https://localhost/"] {
        world.admin.done("createWebhook", "", input(url)).await;
    }
    world.app.stop().await;
}

async fn names_are_checked_at_each_delivery(engine: Engine) {
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    // Given names that lead to what is private, to public and private addresses at once, to private ones in other
    // clothes, to nothing, and one that changes from time to time,
    let world = World::frozen_with(engine, |config| {
        config.webhooks.allowed = Allowed::default().on_ports(vec![port]);
        resolving(config, move |name| match name {
            "private.example.org" => addresses(&["127.0.0.1"]),
            "localhost" => addresses(&["::1", "127.0.0.1"]),
            "mixed.example.org" => addresses(&["93.184.216.34", "127.0.0.1"]),
            "metadata.example.org" => addresses(&["169.254.169.254"]),
            "mapped.example.org" => addresses(&["::ffff:127.0.0.1"]),
            "translated.example.org" => addresses(&["64:ff9b::7f00:1"]),
            "changing.example.org" if counted.fetch_add(1, Ordering::SeqCst) > 0 => addresses(&["127.0.0.1"]),
            _ => Vec::new(),
        });
    });
    let world = world.await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let not_public = "The host name resolves to an address that is not public.";
    let cases = [
        ("private", not_public),
        ("mixed", not_public),
        ("metadata", not_public),
        ("mapped", not_public),
        ("translated", not_public),
        ("nowhere", "The host name has no address."),
    ];
    let url = |name: &str| format!("https://{name}:{port}/");
    let mut hooks = vec![(hook(&world.admin, &url("localhost"), &["MESSAGE_TO_VISITOR"]).await, not_public)];
    for (name, expected) in cases {
        let name = format!("{name}.example.org");
        hooks.push((hook(&world.admin, &url(&name), &["MESSAGE_TO_VISITOR"]).await, expected));
    }
    let changing = hook(&world.admin, &url("changing.example.org"), &["MESSAGE_TO_VISITOR"]).await;
    // when there is something to deliver,
    say(&olga, &chat, "Hello").await;
    for (hook, expected) in hooks {
        assert_eq!(after_attempts(&world.admin, &hook, 1).await["lastError"], expected);
    }
    // and the name that led nowhere leads here the next time,
    assert_eq!(
        after_attempts(&world.admin, &changing, 1).await["lastError"],
        "The host name has no address."
    );
    world.pass(10);
    assert_eq!(after_attempts(&world.admin, &changing, 2).await["lastError"], not_public);
    // then nobody was ever connected to. A name is asked for once an attempt: what was checked is what counts.
    assert_eq!((receiver.connections(), asked.load(Ordering::SeqCst)), (0, 2));
    world.app.stop().await;
}

async fn plain_http_is_limited_to_allowed_networks(engine: Engine) {
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    let world = World::frozen_with(engine, |config| {
        config.webhooks.allowed = Allowed::new(vec!["127.0.0.1/32".parse().expect("a network")]);
        resolving(config, |name| match name {
            "inside.example.org" => addresses(&["127.0.0.1"]),
            "mapped.example.org" => addresses(&["::ffff:127.0.0.1"]),
            "beside.example.org" => addresses(&["127.0.0.2"]),
            "public.example.org" => addresses(&["93.184.216.34"]),
            _ => Vec::new(),
        });
    });
    let world = world.await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let mut hooks = Vec::new();
    for (name, is_open) in [("inside", true), ("mapped", true), ("beside", false), ("public", false)] {
        let url = format!("http://{name}.example.org:{port}/");
        hooks.push((hook(&world.admin, &url, &["MESSAGE_TO_VISITOR"]).await, name, is_open));
    }
    say(&olga, &chat, "Hello").await;
    for (hook, name, is_open) in hooks {
        if is_open {
            delivered(&world.admin, &hook).await;
        } else {
            let row = after_attempts(&world.admin, &hook, 1).await;
            assert_eq!(
                row["lastError"], "The host name resolves to an address that is not public.",
                "{name}"
            );
        }
    }
    // The receiver is still called by its name.
    let mut hosts: Vec<_> =
        receiver.requests().iter().map(|received| received.header("host").to_owned()).collect();
    hosts.sort();
    assert_eq!(hosts, [format!("inside.example.org:{port}"), format!("mapped.example.org:{port}")]);
    world.app.stop().await;
}
