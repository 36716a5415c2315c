//! What the dearest operations take that are accepted: CPU, memory and bytes of the answer, printed as a table.
//!
//! `cargo run --release --example cost -- FOLDER 110 [postgres://…]`: the folder is made and filled with a chat of
//! so many messages of the longest text. Linux only.

#![expect(clippy::disallowed_macros, reason = "a measurement prints its table")]

#[path = "measured/dear.rs"]
mod dear;
#[allow(dead_code, reason = "other measurements use the rest")]
mod measured;

use anteroom::actions::{IssueToken, TokenSubject};
use anyhow::Context;
use measured::Measured;
use serde_json::{Value, json};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (Measured { app, admin, count }, _) = Measured::open().await?;
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let subject = TokenSubject::ApiClient("measured".into());
    let input = IssueToken { subject, expires_in_seconds: Some(3_600) };
    let (_, issued) = app.actions().mint_token(admin.organization_id, input).await?;
    let client = Client { url: format!("http://{}/graphql", app.address()), token: issued.token };
    let room = client.mutate("createRoom", "room { id }", json!({ "name": "Room" })).await?;
    let pairs: Vec<_> =
        (0..50).map(|at| json!({ "name": at.to_string(), "value": "ä".repeat(1_000) })).collect();
    let visitor = json!({ "externalId": "vera", "displayName": "Vera", "attributes": pairs });
    let visitor = client.mutate("upsertVisitor", "visitor { id }", visitor).await?;
    let visitor = &visitor["visitor"]["id"];
    let start = json!({ "roomId": room["room"]["id"], "visitorId": visitor });
    let chat = client.mutate("startChat", "chat { id }", start).await?;
    let chat = chat["chat"]["id"].as_str().context("a chat")?.to_owned();
    for number in 0..count {
        let text = "💬".repeat(2_000);
        let input =
            json!({ "chatId": chat, "text": text, "senderId": visitor, "externalId": number.to_string() });
        while client.mutate("sendMessage", "", input.clone()).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    println!(
        "{:<28} {:>8} {:>10} {:>10} {:>10} {:>10}",
        "operation", "units", "ms", "CPU ms", "MiB", "answer KB"
    );
    for (name, document) in dear::GROWING {
        let (variables, units) = dear::dearest(document, &chat).context("nothing is accepted")?;
        let body = json!({ "query": document, "variables": variables });
        client.ask(&body).await?;
        std::fs::write("/proc/self/clear_refs", "5")?;
        let (memory, cpu, started) = (status("VmRSS:")?, cpu()?, Instant::now());
        let answer = client.ask(&body).await?;
        let (wall, cpu) = (started.elapsed().as_secs_f64() * 1e3, self::cpu()? - cpu);
        let grown = status("VmHWM:")?.saturating_sub(memory) / 1_024;
        let kilobytes = answer.len() / 1_000;
        println!("{name:<28} {units:>8} {wall:>10.1} {cpu:>10} {grown:>10} {kilobytes:>10}");
    }
    app.stop().await;
    Ok(())
}

struct Client {
    url: String,
    token: String,
}

impl Client {
    /// The body of an answer; a refused request is repeated until the budget allows it.
    async fn ask(&self, body: &Value) -> anyhow::Result<String> {
        let http = reqwest::Client::new();
        loop {
            let answer = http.post(&self.url).bearer_auth(&self.token).json(body).send().await?;
            if answer.status() != reqwest::StatusCode::TOO_MANY_REQUESTS {
                return Ok(answer.text().await?);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    async fn mutate(&self, name: &str, selection: &str, input: Value) -> anyhow::Result<Value> {
        let input_type = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let document = format!(
            "mutation($input: {input_type}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code }} }} }}"
        );
        let answer = self.ask(&json!({ "query": document, "variables": { "input": input } })).await?;
        let answer: Value = serde_json::from_str(&answer)?;
        anyhow::ensure!(answer.get("errors").is_none(), "{answer}");
        Ok(answer["data"][name].clone())
    }
}

/// A line of this process's status, in KiB.
fn status(name: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("a line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The CPU time of this process, in milliseconds: its ticks are hundredths of a second.
fn cpu() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields = text.rsplit(')').next().context("fields")?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) = (times.next().context("a time")??, times.next().context("a time")??);
    Ok((user + system) * 10)
}
