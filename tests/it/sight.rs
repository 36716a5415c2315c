//! What everybody sees is what the guide says, for every field and argument that leads to a chat, and on open streams
//! while memberships, roles and privacy change.

mod following;
mod questions;
mod rules;
mod town;

use crate::harness::seed::random;
use crate::harness::{Engine, TestApp};
use crate::on_both;
use following::Follower;
use questions::{Asker, Tally};
use rand::seq::IteratorRandom;
use rules::Role;
use town::Town;

on_both!(everybody_sees_what_the_guide_says);

/// Names how many cases are compared on each database.
const VARIABLE: &str = "ANTEROOM_SIGHT_CASES";
/// Without that variable.
const CASES: u64 = 100_000;
/// Changes between two rounds of questions.
const CHANGES: usize = 12;
/// Chats out of sight that each person tries everything on, in a round.
const TOUCHED: usize = 2;

async fn everybody_sees_what_the_guide_says(engine: Engine) {
    let wanted = match std::env::var(VARIABLE) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{VARIABLE} is not a number: {text}")),
        Err(_) => CASES,
    };
    let mut random = random();
    let mut tally = Tally::default();
    // A town wears out as its chats are ended and deleted.
    while tally.cases < wanted {
        let app = TestApp::quiet(engine).await;
        let mut town = Town::build(&app, rand::SeedableRng::from_rng(&mut random)).await;
        for _ in 0..4 {
            round(&mut town, &mut tally).await;
            assert!(tally.wrong.is_empty(), "{} cases:\n{}", tally.cases, tally.wrong.join("\n"));
            if tally.cases >= wanted {
                break;
            }
        }
        app.stop().await;
    }
    eprintln!("{} cases, no difference", tally.cases);
}

/// Everybody asks everything once; then some follow while it changes who sees what.
async fn round(town: &mut Town, tally: &mut Tally) {
    let people = town.people();
    for (who, client) in &people {
        let asker = Asker { rules: &town.rules, who, client };
        asker.ask_all(tally).await;
        let unseen = town.rules.chats.keys().filter(|chat| !town.rules.sees(who, chat));
        let known = people.iter().find(|(other, _)| other.tenant == who.tenant && other.role == Role::Admin);
        for chat in unseen.sample(&mut town.random, TOUCHED) {
            asker.touch(chat, &known.expect("an admin").0.id, tally).await;
        }
    }
    let mut followers = Vec::new();
    for (who, client) in people.into_iter().filter(|(who, _)| who.role.is_user()) {
        followers.push(Follower::start(who, client, &town.rules).await);
    }
    for _ in 0..CHANGES {
        let change = town.change().await;
        for follower in &mut followers {
            if let Some(actor) = town.rules.actors.get(&follower.who.id) {
                follower.who = actor.clone();
            }
            follower.settle(&town.rules, tally).await;
        }
        assert!(tally.wrong.is_empty(), "after {change:?}:\n{}", tally.wrong.join("\n"));
    }
}
