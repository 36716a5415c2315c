//! Receivers that ask for later attempts, and interrupted attempts: neither uses up the attempts of a
//! delivery.

use crate::harness::Engine;
use crate::harness::hooks::{
    after_attempts, after_noon, delivered, delivery, frozen, hook, millis, say, to_loopback,
};
use crate::harness::receiver::{Receiver, Reply, answer, status};
use crate::harness::world::{NOON_MILLIS, Person, World};
use crate::on_both;
use serde_json::json;
use std::time::Duration;

on_both!(
    short_retry_after_is_honored_and_uses_up_no_attempt,
    busy_answers_count_after_a_day,
    busy_receiver_without_retry_after_is_asked_less_and_less_often,
    retry_after_of_another_status_shortens_the_wait_but_counts,
    attempt_cut_off_by_a_stop_does_not_count,
);

async fn talk(engine: Engine) -> (World, Receiver, Person, String) {
    let world = frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    (world, Receiver::start().await, olga, chat)
}

async fn short_retry_after_is_honored_and_uses_up_no_attempt(engine: Engine) {
    let (world, receiver, olga, chat) = talk(engine).await;
    receiver.behave(|_, number| {
        let code = if number % 2 == 0 { 429 } else { 503 };
        answer(code, "Retry-After: 2\r\n")
    });
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    // More answers than the ten attempts that a delivery has.
    for number in 1..=14 {
        let row = after_attempts(&world.admin, &hook, number).await;
        assert_eq!(
            (&row["state"], &row["nextAttemptAt"]),
            (&json!("PENDING"), &json!(after_noon(number * 2)))
        );
        if number == 14 {
            receiver.reply(status(204));
        }
        world.pass(2);
    }
    let row = delivered(&world.admin, &hook).await;
    assert_eq!((&row["attempts"], receiver.requests().len()), (&json!(15), 15));
    world.app.stop().await;
}

async fn busy_answers_count_after_a_day(engine: Engine) {
    let (world, receiver, olga, chat) = talk(engine).await;
    receiver.behave(|_, number| match number {
        1 => answer(503, "Retry-After: 80000\r\n"),
        2 => answer(429, "Retry-After: 7000\r\n"),
        _ => answer(503, "Retry-After: 1\r\n"),
    });
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    after_attempts(&world.admin, &hook, 1).await;
    world.pass(80_000);
    after_attempts(&world.admin, &hook, 2).await;
    world.pass(7_000);
    // The day is over: from now on each answer uses up one of ten attempts.
    for number in 3..12 {
        let row = after_attempts(&world.admin, &hook, number).await;
        assert_eq!(row["state"], "PENDING", "{number}");
        world.pass(1);
    }
    let row = delivery(&world.admin, &hook, |row| row["state"] == "FAILED").await;
    assert_eq!((&row["attempts"], receiver.requests().len()), (&json!(12), 12));
    world.app.stop().await;
}

async fn busy_receiver_without_retry_after_is_asked_less_and_less_often(engine: Engine) {
    let (world, receiver, olga, chat) = talk(engine).await;
    receiver.reply(status(503));
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    let mut passed = 0;
    for number in 1..=12 {
        let row = after_attempts(&world.admin, &hook, number).await;
        let waits = millis(&row["nextAttemptAt"]) - NOON_MILLIS - passed * 1_000;
        let least = passed.clamp(5, 3_600) * 1_000;
        assert!((least..=least * 11 / 10).contains(&waits), "attempt {number}: {waits} ms after {passed} s");
        let pause = waits / 1_000 + 1;
        world.pass(u64::try_from(pause).expect("seconds"));
        passed += pause;
    }
    assert!(passed > 3_600, "{passed}");
    world.app.stop().await;
}

async fn retry_after_of_another_status_shortens_the_wait_but_counts(engine: Engine) {
    let (world, receiver, olga, chat) = talk(engine).await;
    receiver.reply(answer(500, "Retry-After: 1\r\n"));
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    for number in 1..10 {
        let row = after_attempts(&world.admin, &hook, number).await;
        assert_eq!(row["nextAttemptAt"], after_noon(number));
        world.pass(1);
    }
    let row = delivery(&world.admin, &hook, |row| row["state"] == "FAILED").await;
    assert_eq!(row["attempts"], 10);
    world.app.stop().await;
}

async fn attempt_cut_off_by_a_stop_does_not_count(engine: Engine) {
    let world = World::frozen_with(engine, |config| {
        to_loopback(config);
        config.webhooks.timeout = Duration::from_hours(1);
    });
    let world = world.await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let receiver = Receiver::start().await;
    receiver.behave(|_, number| if number == 1 { Reply::Hang(String::new()) } else { status(204) });
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    receiver.wait_for_requests(1).await;
    // Given a receiver that never answers, when the server stops and starts again at the same moment of its clock,
    let admin = world.admin.clone();
    let app = world.app.restarted_after(|| {}).await;
    // then the delivery is made without waiting for the lease of the attempt that was cut off.
    let admin = World::at(&admin, &app.url);
    let row = delivered(&admin, &hook).await;
    assert_eq!((&row["attempts"], receiver.requests().len()), (&json!(1), 2));
    app.stop().await;
}
