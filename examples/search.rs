//! What searching and archiving cost with a long history: fills a store and prints a table of medians.
//!
//! `cargo run --release --example search -- FOLDER 1000000 [postgres://…]`: the folder is made, the database must
//! be empty.

#![expect(clippy::disallowed_macros, reason = "a measurement prints its table")]

mod measured;

use anteroom::actions::SearchIn;
use anteroom::domain::change::MessageChange;
use anteroom::domain::event::{Change, MessageRow};
use anteroom::domain::page::PageRequest;
use anteroom::domain::search::{Matching, Query};
use anteroom::store::tx::Fact;
use anteroom::store::{Store, Tx, messages};
use entity::{
    ActorId, Audience, ChatId, ChatType, MessageId, MessageType, OrganizationId, Timestamp, chat, message,
};
use measured::{Measured, median, participation};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::time::Instant;

const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve",
    "wi", "xo", "zu", "ster", "lin", "gra", "ment",
];
/// A word in three of ten messages.
const COMMON: &str = "appointment";
/// A word in three messages of each long history, old ones.
const RARE: &str = "zyzzyva";
/// A word in three of ten messages of the older half, and in none since.
const FORMER: &str = "yesteryear";
const BATCH: u64 = 1_000;
const RUNS: usize = 15;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (Measured { app, admin, count }, _) = Measured::open().await?;
    let (actions, count) = (app.actions(), u64::try_from(count)?);
    let writer =
        Writer { store: actions.store(), organization_id: admin.organization_id, sender: admin.actor_id };
    let mut random = StdRng::seed_from_u64(1);
    let started = Instant::now();
    let few = writer.chat(10, &mut random).await?;
    let long = writer.chat(count, &mut random).await?;
    for _ in 0..count / 10_000 {
        writer.chat(1_000, &mut random).await?;
    }
    let written = count + count / 10_000 * 1_000;
    println!("{written} messages written in {:.0} s", started.elapsed().as_secs_f64());
    let newest = PageRequest::new(Some(25), None, None, None).map_err(|bad| anyhow::anyhow!("{bad}"))?;
    println!("{:<44} {:>10} {:>6}", "25 newest hits", "ms", "hits");
    for (place, chat_id) in
        [("one chat", Some(long)), ("the organization", None), ("a chat of ten", Some(few))]
    {
        for (kind, word) in [
            ("common", COMMON),
            ("rare", RARE),
            ("absent", "xylophone"),
            ("two letters", "qu"),
            ("former", FORMER),
        ] {
            let query = Query::new(word, Matching::Folded).map_err(|refused| anyhow::anyhow!("{refused}"))?;
            let scope = SearchIn { chat_id, visitor_id: None, include_archived: false };
            let mut hits = 0;
            let time = median(RUNS, async || {
                hits = actions.search_messages(&admin, scope, &query, &newest).await?.rows.len();
                Ok(())
            });
            let time = time.await?;
            println!("{:<44} {time:>10.2} {hits:>6}", format!("{kind} word, {place}"));
        }
    }
    for (what, chat_id) in [("archive and restore, ten messages", few), ("archive and restore, all", long)] {
        let time = median(RUNS, async || {
            actions.archive_messages(&admin, chat_id, Timestamp(i64::MAX)).await?;
            actions.restore_messages(&admin, chat_id).await?;
            Ok(())
        });
        println!("{what:<44} {:>10.2}", time.await?);
    }
    app.stop().await;
    Ok(())
}

struct Writer<'a> {
    store: &'a Store,
    organization_id: OrganizationId,
    sender: ActorId,
}

impl Writer<'_> {
    /// A chat with so many messages.
    async fn chat(&self, count: u64, random: &mut StdRng) -> anyhow::Result<ChatId> {
        let made = self.store.transaction(async |tx| {
            let (id, now) = (ChatId(tx.new_id()), tx.now());
            let mut row = chat::Model::new(id, self.organization_id, ChatType::Group, now);
            (row.owner_id, row.token) = (Some(self.sender), id.to_string());
            tx.add_chat(row).await?;
            // An archivist takes part.
            let participation = participation(tx.new_id(), id, self.sender, now);
            anteroom::store::participations::insert(tx, &participation).await?;
            anyhow::Ok(id)
        });
        let id = made.await?.value;
        for start in (0..count).step_by(usize::try_from(BATCH)?) {
            let texts: Vec<_> =
                (start..count.min(start + BATCH)).map(|number| text(number, count, random)).collect();
            self.store.transaction(async |tx| self.add_messages(tx, id, texts).await).await?;
        }
        Ok(id)
    }

    async fn add_messages(&self, tx: &mut Tx, chat_id: ChatId, texts: Vec<String>) -> anyhow::Result<()> {
        tx.lock_chat(self.organization_id, chat_id).await?;
        for text in texts {
            let message_id = MessageId(tx.new_id());
            let row = message::Model {
                chat_id,
                sequence: tx.next_sequence()?,
                id: message_id,
                message_type: MessageType::Message,
                sender_id: Some(self.sender),
                text: Some(text),
                external_id: message_id.0.simple().to_string(),
                created_at: tx.now(),
                session_id: None,
                session_state: None,
                edited_at: None,
                deleted_at: None,
                sent_digest: None,
                is_internal: false,
                reply_to_sequence: None,
            };
            messages::insert(tx, &row).await?;
            tx.record(Fact {
                change: Change::Message(
                    MessageChange::Added,
                    MessageRow { message: row, sender: None, called_ids: Vec::new() },
                ),
                actor_id: Some(self.sender),
                audience: Audience::All,
            })?;
        }
        Ok(())
    }
}

/// Some ten made-up words, and now and then those that are searched.
fn text(number: u64, count: u64, random: &mut StdRng) -> String {
    let mut words: Vec<String> = (0..random.random_range(6..14))
        .map(|_| (0..random.random_range(1..4)).filter_map(|_| SYLLABLES.choose(random).copied()).collect())
        .collect();
    if random.random_bool(0.3) {
        words.push(COMMON.into());
    }
    if number < count / 2 && random.random_bool(0.3) {
        words.push(FORMER.into());
    }
    if [1, 2, count / 3].contains(&number) && count > BATCH {
        words.push(RARE.into());
    }
    words.join(" ")
}
